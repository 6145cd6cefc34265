#include <tinyllm/train/reasoning.h>

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

std::vector<Answered> answer(Generator& generator, int64_t rows, const Model& model,
                             const std::vector<Problem>& problems, const std::function<bool(size_t)>& on_done) {
  constexpr int64_t kMaxTokens = 160;
  std::vector<Answered> all;
  for (size_t from = 0; from < problems.size(); from += static_cast<size_t>(rows)) {
    const size_t count = std::min(problems.size() - from, static_cast<size_t>(rows));
    std::vector<std::vector<int32_t>> prompts;
    for (size_t i = 0; i < count; ++i) {
      const Problem& problem = problems[from + i];
      prompts.push_back(
          chat_prompt(model.tokenizer, {problem.system, {{problem.question, ""}}}, model.config.context - 1));
    }
    const std::vector<std::vector<int32_t>> answers = generator.generate(prompts, kMaxTokens);
    for (size_t i = 0; i < count; ++i) {
      const Problem& problem = problems[from + i];
      Reasoned said = parse_reasoning(model.tokenizer.decode(answers[i]));
      const bool right = said.final == problem.final;
      all.push_back({problem, std::move(said), right});
    }
    if (on_done && !on_done(all.size())) break;
  }
  return all;
}

}  // namespace tinyllm
