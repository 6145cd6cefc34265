#include <tinyllm/train/tasks/reasoning.h>

#include <tinyllm/runtime/batcher.h>

#include <array>
#include <optional>

namespace tinyllm {

std::vector<Conversation> as_conversations(const std::vector<Problem>& problems) {
  static constexpr std::array<size_t, 5> kTurns = {1, 1, 2, 1, 3};  // By turns.
  std::vector<Conversation> conversations;
  size_t room = 0;
  for (const Problem& problem : problems) {
    if (room == 0 || conversations.back().system != problem.system) {
      room = kTurns[conversations.size() % kTurns.size()];
      conversations.push_back({problem.system, {}});
    }
    conversations.back().turns.push_back({problem.question, reasoning(problem.cot, problem.final)});
    --room;
  }
  return conversations;
}

std::vector<Sample> chat_samples(const Tokenizer& tokenizer, const std::vector<Conversation>& conversations) {
  std::vector<Sample> samples;
  for (const Conversation& conversation : conversations) samples.push_back(chat_sample(tokenizer, conversation));
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
    Reasoned said = parse_reasoning(completion.text);
    const bool right = said.final == problems[i].final;
    answers[i] = {problems[i], std::move(said), right};
    ++progress.done;
    if (on_progress && !on_progress(progress)) {
      for (const Batcher::Id id : ids) batcher.cancel(id);
    }
  };
  for (size_t i = 0; i < problems.size(); ++i) {
    const Conversation conversation{problems[i].system, {{problems[i].question, ""}}};
    ids.push_back(batcher.submit({.prompt = chat_prompt(model.tokenizer, conversation, model.config.context - 1),
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
