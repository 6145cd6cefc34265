#include <doctest/doctest.h>

#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/eval/choice.h>

#include "runtime/model_to_ask.h"

#include <algorithm>

namespace tinyllm::eval::test {

using namespace tinyllm::test;

namespace {

QuestionSet fruit_set() {
  QuestionSet set{.name = "fruit", .task = Task::choice};
  set.questions = {
      {.text = "what is  12 * 3?", .options = {"36", "35", "the answer", "question 36."}, .right = 0},
      {.text = "Question 5", .options = {"3", "先算加法", "x", "30 30 30", "等于多少？"}, .right = 3},
      {.kind = "tea", .text = "The answer is", .options = {"36.", "then"}, .right = 1, .is_continued = true}};
  set.examples = {{.text = "1 + 1?", .options = {"1", "2"}, .right = 1}};
  return set;
}

// The log-likelihood of an ending by another path: the log-probabilities that the runtime gives for each token of a
// prompt, summed over the tokens after those that context and whole text have in common.
double by_prompt(Session& session, const std::string& context, const std::string& ending) {
  const Tokenizer& tokenizer = *session.model().tokenizer;
  const std::vector<int32_t> before = tokenizer.encode_alone(context), whole = tokenizer.encode_alone(context + ending);
  const auto common = std::ranges::mismatch(before, whole).in1 - before.begin();
  const Request request{.prompt = whole, .options = {.max_tokens = 0, .prompt_log_probs = 0}};
  const Completion completion = generate(session, {{request}})[0];
  double sum = 0;
  for (auto i = common; i < std::ssize(whole); ++i)
    sum += completion.prompt_log_probs[static_cast<size_t>(i - 1)].log_prob;
  return sum;
}

double is_best(const std::vector<double>& scores, size_t right) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin() == static_cast<std::ptrdiff_t>(right);
}

}  // namespace

TEST_CASE("the prompts are those of lm-evaluation-harness") {
  QuestionSet set = fruit_set();
  const ChoicePrompt letters = letter_prompt(set, set.questions[1], {.shots = 1});
  CHECK(letters.context ==
        "1 + 1?\nA. 1\nB. 2\nAnswer: B\n\nQuestion 5\nA. 3\nB. 先算加法\nC. x\nD. 30 30 30\nE. 等于多少？\nAnswer:");
  CHECK(letters.endings == std::vector<std::string>{" A", " B", " C", " D", " E"});
  const ChoicePrompt rotated = letter_prompt(set, set.questions[0], {}, 1);
  CHECK(rotated.context == "what is  12 * 3?\nA. 35\nB. the answer\nC. question 36.\nD. 36\nAnswer:");
  const ChoicePrompt text = text_prompt(set, set.questions[0], {.shots = 1});
  CHECK(text.context == "Question: 1 + 1?\nAnswer: 2\n\nQuestion: what is  12 * 3?\nAnswer:");
  CHECK(text.endings == std::vector<std::string>{" 36", " 35", " the answer", " question 36."});
  CHECK(text_prompt(set, set.questions[2], {}).context == "The answer is");
  set.is_chinese = true;
  CHECK(letter_prompt(set, set.questions[0], {}).context.ends_with("D. question 36.\n答案："));
  CHECK(text_prompt(set, set.questions[0], {.is_chat = true}).context == "问题：what is  12 * 3?\n答案：");
  CHECK(text_prompt(set, set.questions[0], {.is_chat = true}).endings[1] == "35");
}

TEST_CASE("scores are those of log-likelihoods by another path, for any number of options") {
  const Model model = model_to_ask(160);
  const QuestionSet set = fruit_set();
  Session session(model, {.sequences = 4, .cache_type = f32, .pool = ThreadPool(2)});
  LogLikelihoods likelihoods(session);
  const std::vector<size_t> all = {0, 1, 2};
  const std::vector<Result> results = score_choices(likelihoods, model, set, all, {});
  Session other(model, {.sequences = 4, .cache_type = f32, .pool = ThreadPool(1)});
  REQUIRE(results.size() == 3);
  for (const size_t i : all) {
    CAPTURE(i);
    const Question& question = set.questions[i];
    const size_t count = question.options.size();
    const Result& result = results[i];
    CHECK(result.question == i);
    CHECK(result.chance == doctest::Approx(1.0 / static_cast<double>(count)));
    const auto scores_of = [&](const ChoicePrompt& prompt) {
      std::vector<double> scores;
      for (const std::string& ending : prompt.endings) scores.push_back(by_prompt(other, prompt.context, ending));
      return scores;
    };
    std::vector<double> text = scores_of(text_prompt(set, question, {})), per_character, per_byte, pmi;
    for (size_t j = 0; j < count; ++j) {
      const std::string& option = question.options[j];
      per_character.push_back(text[j] / static_cast<double>(count_of_characters(option)));
      per_byte.push_back(text[j] / static_cast<double>(option.size()));
      // Without a question: after the token that ends a document.
      std::vector<int32_t> tokens = model.tokenizer->encode(" " + option);
      tokens.insert(tokens.begin(), model.tokenizer->end_of_document());
      const Request request{.prompt = tokens, .options = {.max_tokens = 0, .prompt_log_probs = 0}};
      double alone = 0;
      const Completion completion = generate(other, {{request}})[0];
      for (const TokenLogProbs& one : completion.prompt_log_probs) alone += one.log_prob;
      pmi.push_back(text[j] - alone);
    }
    CHECK(result.scores.at("text") == is_best(text, question.right));
    CHECK(result.scores.at("text_per_character") == is_best(per_character, question.right));
    CHECK(result.scores.at("text_per_byte") == is_best(per_byte, question.right));
    CHECK(result.scores.at("text_pmi") == is_best(pmi, question.right));
    if (question.is_continued) {
      CHECK_FALSE(result.scores.contains("letter"));
      continue;
    }
    double right = 0;
    for (size_t r = 0; r < count; ++r) {
      const size_t place = (question.right + count - r) % count;
      right += is_best(scores_of(letter_prompt(set, question, {}, r)), place);
      if (r == 0) CHECK(result.scores.at("letter") == right);
    }
    CHECK(result.scores.at("letter_rotated") == doctest::Approx(right / static_cast<double>(count)));
  }
  // One by one they score the same, to the last digit of the detail.
  for (const size_t i : all) {
    const Result one = score_choices(likelihoods, model, set, {{i}}, {})[0];
    CHECK(one.detail == results[i].detail);
    CHECK(one.scores == results[i].scores);
  }
  CHECK_FALSE(score_choices(likelihoods, model, set, {{0}}, {.rotates = false})[0].scores.contains("letter_rotated"));
  CHECK(score_choices(likelihoods, model, set, {{0}}, {.shots = 1, .is_chat = true})[0].scores.contains("letter"));
}

TEST_CASE("a question that is longer than the context is scored by its end") {
  const Model model = model_to_ask(40);
  QuestionSet set = fruit_set();
  for (int i = 0; i < 30; ++i) set.questions[0].text = "Question 5: " + set.questions[0].text;
  Session session(model, {.sequences = 2, .cache_type = f32, .pool = ThreadPool(1)});
  LogLikelihoods likelihoods(session);
  CHECK(score_choices(likelihoods, model, set, {{0}}, {})[0].scores.contains("letter"));
}

}  // namespace tinyllm::eval::test
