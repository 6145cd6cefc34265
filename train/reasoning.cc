#include <tinyllm/train/reasoning.h>

namespace tinyllm {

Conversation as_conversation(const Problem& problem) {
  return {problem.system, {{problem.question, reasoning(problem.cot, problem.final)}}};
}

std::vector<Sample> chat_samples(const Tokenizer& tokenizer, const std::vector<Problem>& problems) {
  std::vector<Sample> samples;
  for (const Problem& problem : problems) samples.push_back(chat_sample(tokenizer, as_conversation(problem)));
  return samples;
}

std::vector<Answered> answer(Generator& generator, int64_t rows, const Model& model,
                             const std::vector<Problem>& problems, const std::function<void(size_t)>& on_done) {
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
    if (on_done) on_done(all.size());
  }
  return all;
}

}  // namespace tinyllm
