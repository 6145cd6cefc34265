#include <tinyllm/train/eval/choice.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::eval {
namespace {

const char* answer_cue(const QuestionSet& set) { return set.is_chinese ? "答案：" : "Answer:"; }

std::string with_options(const QuestionSet& set, const Question& question, size_t rotation) {
  Question rotated = question;
  const auto first = rotated.options.begin();
  std::rotate(first, first + static_cast<std::ptrdiff_t>(rotation), rotated.options.end());
  return fmt::format("{}\n{}\n{}", question.text, lettered_options(rotated), answer_cue(set));
}

std::string without_options(const QuestionSet& set, const Question& question) {
  if (question.is_continued) return question.text;
  return fmt::format("{}{}\n{}", set.is_chinese ? "问题：" : "Question: ", question.text, answer_cue(set));
}

char letter(size_t option) { return static_cast<char>('A' + option); }

// Where option i is after the options were shifted.
size_t place_of(size_t option, size_t rotation, size_t count) { return (option + count - rotation) % count; }

size_t best_of(std::span<const double> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// What the tokens of a prompt are: all of it as one text, or as a chat of which the model says the ending.
class Encoder {
 public:
  Encoder(const Model& model, int64_t most, bool is_chat) : model_(model), most_(most), is_chat_(is_chat) {}

  Continuations encode(const std::string& system, const ChoicePrompt& prompt) const {
    std::vector<Piece> pieces;
    if (is_chat_) {
      Messages messages;
      if (!system.empty()) messages.push_back({Role::system, system});
      messages.push_back({Role::user, prompt.context});
      pieces = model_.chat_template->render(messages, {.add_generation_prompt = true});
    }
    const auto encoded = [&](const std::string& ending) {
      if (!is_chat_) return model_.tokenizer->encode_alone(prompt.context + ending);
      std::vector<Piece> all = pieces;
      if (!ending.empty()) all.push_back({ending, false, false});
      return tokenize(*model_.tokenizer, all).tokens;
    };
    std::vector<std::vector<int32_t>> texts;
    for (const std::string& ending : prompt.endings) texts.push_back(encoded(ending));
    return split_continuations(encoded(""), std::move(texts), most_);
  }

  // The endings without a question, after what begins a text.
  Continuations encode_alone(const std::vector<std::string>& endings) const {
    const Tokenizer& tokenizer = *model_.tokenizer;
    const std::span<const int32_t> before = tokenizer.before_text();
    Continuations result{{before.begin(), before.end()}, {}};
    if (result.context.empty()) result.context = {tokenizer.end_of_document()};
    for (const std::string& ending : endings) result.endings.push_back(tokenizer.encode(ending));
    return result;
  }

 private:
  const Model& model_;
  int64_t most_;
  bool is_chat_;
};

// Of one question, where its log-likelihoods are among those of all.
struct Plan {
  size_t letters = 0, rotations = 0;  // The first of them, and how many there are.
  size_t text = 0, alone = 0;
};

Result scored(const Question& question, const Plan& plan, std::span<const std::vector<double>> all) {
  const size_t count = question.options.size();
  Result result{.kind = question.kind, .chance = 1 / static_cast<double>(count)};
  Json letters = Json::array();
  double right = 0;
  for (size_t r = 0; r < plan.rotations; ++r) {
    const std::vector<double>& found = all[plan.letters + r];
    const bool is_right = best_of(found) == place_of(question.right, r, count);
    right += is_right;
    if (r == 0) result.scores["letter"] = is_right;
    letters.push_back(found);
  }
  if (plan.rotations > 1) result.scores["letter_rotated"] = right / static_cast<double>(plan.rotations);
  const std::vector<double>&text = all[plan.text], &alone = all[plan.alone];
  std::vector<double> per_character, per_byte, pmi;
  for (size_t i = 0; i < count; ++i) {
    const std::string& option = question.options[i];
    per_character.push_back(text[i] / static_cast<double>(std::max<int64_t>(1, count_of_characters(option))));
    per_byte.push_back(text[i] / static_cast<double>(std::max<size_t>(1, option.size())));
    pmi.push_back(text[i] - alone[i]);
  }
  result.scores["text"] = best_of(text) == question.right;
  result.scores["text_per_character"] = best_of(per_character) == question.right;
  result.scores["text_per_byte"] = best_of(per_byte) == question.right;
  result.scores["text_pmi"] = best_of(pmi) == question.right;
  result.detail = Json{{"right", question.right}, {"letters", letters}, {"text", text}, {"alone", alone}}.dump();
  return result;
}

}  // namespace

ChoicePrompt letter_prompt(const QuestionSet& set, const Question& question, const ChoiceOptions& options,
                           size_t rotation) {
  ChoicePrompt prompt;
  for (const Question* example : examples_for(set, question, options.shots)) {
    prompt.context += fmt::format("{} {}\n\n", with_options(set, *example, 0), letter(example->right));
  }
  prompt.context += with_options(set, question, rotation);
  for (size_t i = 0; i < question.options.size(); ++i) {
    prompt.endings.push_back(fmt::format("{}{}", options.is_chat ? "" : " ", letter(i)));
  }
  return prompt;
}

ChoicePrompt text_prompt(const QuestionSet& set, const Question& question, const ChoiceOptions& options) {
  ChoicePrompt prompt;
  for (const Question* example : examples_for(set, question, options.shots)) {
    prompt.context += fmt::format("{} {}\n\n", without_options(set, *example), example->options[example->right]);
  }
  prompt.context += without_options(set, question);
  for (const std::string& option : question.options) prompt.endings.push_back((options.is_chat ? "" : " ") + option);
  return prompt;
}

std::vector<Result> score_choices(LogLikelihoods& likelihoods, const Model& model, const QuestionSet& set,
                                  std::span<const size_t> questions, const ChoiceOptions& options) {
  const Encoder encoder(model, likelihoods.longest(), options.is_chat);
  std::vector<Continuations> all;
  std::vector<Plan> plans;
  // By form of prompt: prompts of one form begin with the same examples.
  plans.resize(questions.size());
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = set.questions.at(questions[i]);
    if (question.is_continued) continue;
    plans[i].letters = all.size();
    plans[i].rotations = options.rotates ? question.options.size() : 1;
    for (size_t r = 0; r < plans[i].rotations; ++r) {
      all.push_back(encoder.encode(question.system, letter_prompt(set, question, options, r)));
    }
  }
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = set.questions[questions[i]];
    plans[i].text = all.size();
    all.push_back(encoder.encode(question.system, text_prompt(set, question, options)));
  }
  for (size_t i = 0; i < questions.size(); ++i) {
    plans[i].alone = all.size();
    all.push_back(encoder.encode_alone(text_prompt(set, set.questions[questions[i]], options).endings));
  }
  const std::vector<std::vector<double>> found = likelihoods.of(all);
  std::vector<Result> results;
  for (size_t i = 0; i < questions.size(); ++i) {
    Result& result = results.emplace_back(scored(set.questions[questions[i]], plans[i], found));
    result.question = questions[i];
  }
  return results;
}

}  // namespace tinyllm::eval
