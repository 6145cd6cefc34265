#include <tinyllm/train/tasks/reasoning.h>

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/batcher.h>

#include <array>
#include <optional>

namespace tinyllm {

std::vector<Messages> as_conversations(const std::vector<Problem>& problems) {
  static constexpr std::array<size_t, 5> kTurns = {1, 1, 2, 1,
                                                   3};  // Conversations have these numbers of turns, in rotation.
  std::vector<Messages> conversations;
  size_t room = 0;
  for (const Problem& problem : problems) {
    if (room == 0 || conversations.back()[0].content != problem.system) {
      room = kTurns[conversations.size() % kTurns.size()];
      conversations.push_back({{Role::system, problem.system}});
    }
    conversations.back().push_back({Role::user, problem.question});
    conversations.back().push_back({Role::assistant, reasoning(problem.cot, problem.final)});
    --room;
  }
  return conversations;
}

std::vector<Sample> chat_samples(const Model& model, const std::vector<Messages>& conversations) {
  std::vector<Sample> samples;
  for (const Messages& messages : conversations) {
    samples.push_back(tokenize(*model.tokenizer, model.chat_template->render(messages, {})));
  }
  return samples;
}

std::vector<Answered> answer(Session& session, const std::vector<Problem>& problems, const OnProgress& on_progress) {
  constexpr int64_t kMaxTokens = 160;
  const Model& model = session.model();
  Batcher batcher(session);
  std::vector<std::optional<Answered>> answers(problems.size());
  std::vector<Batcher::Id> ids;
  Progress progress{.total = static_cast<int64_t>(problems.size())};
  const auto take = [&](size_t i, const Completion& completion) {
    if (completion.finish_reason == FinishReason::failed) throw Error("{}", completion.error);
    if (completion.finish_reason == FinishReason::cancelled) return;
    ParsedAnswer said = parse_reasoning(completion.text);
    const bool right = said.final == problems[i].final;
    answers[i] = {problems[i], std::move(said), right};
    ++progress.done;
    if (on_progress && !on_progress(progress)) {
      for (const Batcher::Id id : ids) batcher.cancel(id);
    }
  };
  for (size_t i = 0; i < problems.size(); ++i) {
    const Messages messages = {{Role::system, problems[i].system}, {Role::user, problems[i].question}};
    ids.push_back(batcher.submit(
        {.prompt = chat_prompt(*model.tokenizer, *model.chat_template, messages, model.config.context - 1),
         .options = {.max_tokens = kMaxTokens},
         .on_done = [&take, i](const Completion& completion) { take(i, completion); }}));
  }
  while (batcher.step()) {
  }
  std::vector<Answered> all;
  for (std::optional<Answered>& answer : answers) {
    if (answer) all.push_back(*std::move(answer));
  }
  return all;
}

}  // namespace tinyllm
