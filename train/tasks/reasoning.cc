#include <tinyllm/train/tasks/reasoning.h>

#include <array>

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

std::vector<Answered> answer(Session& session, const std::vector<Problem>& problems,
                             const std::function<bool(size_t)>& on_done) {
  constexpr int64_t kMaxTokens = 160;
  const Model& model = session.model();
  const auto batch = static_cast<size_t>(session.sequences());
  std::vector<Answered> all;
  for (size_t from = 0; from < problems.size(); from += batch) {
    const std::span<const Problem> some = std::span(problems).subspan(from, std::min(problems.size() - from, batch));
    std::vector<Request> requests;
    for (const Problem& problem : some) {
      requests.push_back(
          {.prompt = chat_prompt(model.tokenizer, {problem.system, {{problem.question, ""}}}, model.config.context - 1),
           .options = {.max_tokens = kMaxTokens}});
    }
    const std::vector<Answer> answers = generate(session, requests);
    for (size_t i = 0; i < some.size(); ++i) {
      Reasoned said = parse_reasoning(answers[i].text);
      const bool right = said.final == some[i].final;
      all.push_back({some[i], std::move(said), right});
    }
    if (on_done && !on_done(all.size())) break;
  }
  return all;
}

}  // namespace tinyllm
