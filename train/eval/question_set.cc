#include <tinyllm/train/eval/question_set.h>

#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <xxhash.h>

#include <algorithm>

namespace tinyllm::eval {
namespace {

constexpr size_t kMostOptions = 26;
constexpr size_t kLongestLine = size_t{1} << 20;
constexpr size_t kMostQuestions = 1'000'000;

// A field under its name, or under its name with a capital.
const Json* find(const Json& line, std::string name) {
  if (const Json* field = find_field(line, name.c_str())) return field;
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return find_field(line, name.c_str());
}

std::string text_in(const Json& line, const std::string& name) {
  const Json* field = find(line, name);
  if (field == nullptr) throw Error("field {}: missing", name);
  if (!field->is_string()) throw Error("field {}: is {}, expected a string", name, type_of(*field));
  std::string value = field->get<std::string>();
  if (is_blank(value)) throw Error("field {}: is empty, expected text", name);
  return value;
}

std::string text_or(const Json& line, const std::string& name, std::string other = "") {
  return find(line, name) == nullptr ? std::move(other) : text_in(line, name);
}

std::vector<std::string> texts_in(const Json& list, const std::string& name) {
  if (!list.is_array()) throw Error("field {}: is {}, expected a list of texts", name, type_of(list));
  std::vector<std::string> texts;
  for (const Json& item : list) {
    if (!item.is_string() || is_blank(item.get_ref<const std::string&>())) {
      throw Error("field {}: item {}: is {}, expected text", name, texts.size() + 1,
                  item.is_string() ? "empty" : type_of(item));
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

// An answer key: an index, or one of the labels.
size_t right_of(const Json& line, const std::string& name, const std::vector<std::string>& labels) {
  const Json* field = find(line, name);
  if (field == nullptr) throw Error("field {}: missing; a set without answers cannot be scored", name);
  if (field->is_number_integer()) {
    const auto index = field->get<int64_t>();
    if (index >= 0 && index < std::ssize(labels)) return static_cast<size_t>(index);
  } else if (field->is_string()) {
    const auto found = std::find(labels.begin(), labels.end(), field->get<std::string>());
    if (found != labels.end()) return static_cast<size_t>(found - labels.begin());
  }
  std::string known;
  for (const std::string& label : labels) known += (known.empty() ? "" : ", ") + label;
  throw Error("field {}: is {}, expected one of {}, or an index from 0", name, shown(*field), short_name(known));
}

std::vector<std::string> letters(size_t count) {
  std::vector<std::string> all;
  for (size_t i = 0; i < std::min(count, kMostOptions); ++i) all.emplace_back(1, static_cast<char>('A' + i));
  return all;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
}

// As lm-evaluation-harness does: what WikiHow has in brackets is dropped.
std::string without_brackets(std::string_view given) {
  const size_t first = std::min(given.find_first_not_of(" \n\t\r"), given.size());
  std::string text(given.substr(first, given.find_last_not_of(" \n\t\r") + 1 - first));
  replace_all(text, " [title]", ". ");
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('[', at), text.size());
    const size_t close = text.find(']', open);
    if (close == text.npos) {
      kept += text.substr(at);
      break;
    }
    kept += text.substr(at, open - at);
    at = close + 1;
  }
  replace_all(kept, "  ", " ");
  return kept;
}

// The first letter large, the others small.
std::string capitalised(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

Question hellaswag(const Json& line) {
  std::string context = text_or(line, "ctx_a");
  if (context.empty()) {
    context = text_in(line, "ctx");
  } else {
    context = fmt::format("{} {}", context, capitalised(text_or_none(line, "ctx_b")));
  }
  const std::string activity = text_or(line, "activity_label");
  Question question{.kind = activity, .is_continued = true};
  question.text = without_brackets(activity.empty() ? context : activity + ": " + context);
  for (const std::string& ending : texts_in(need_field(line, "endings"), "endings")) {
    question.options.push_back(without_brackets(ending));
  }
  std::vector<std::string> labels;
  for (size_t i = 0; i < question.options.size(); ++i) labels.push_back(fmt::format("{}", i));
  question.right = right_of(line, "label", labels);
  return question;
}

// choices: [{text, label}], or {text: [], label: []}.
Question arc(const Json& line, std::string text, const Json& choices) {
  Question question{.text = std::move(text)};
  std::vector<std::string> labels;
  if (choices.is_object()) {
    question.options = texts_in(need_field(choices, "text"), "choices.text");
    labels = texts_in(need_field(choices, "label"), "choices.label");
  } else {
    for (const Json& choice : choices) {
      if (!choice.is_object()) throw Error("field choices: has {}, expected objects", type_of(choice));
      question.options.push_back(text_in(choice, "text"));
      labels.push_back(text_in(choice, "label"));
    }
  }
  if (labels.size() != question.options.size()) {
    throw Error("field choices: {} labels for {} texts", labels.size(), question.options.size());
  }
  const Json* key = find(line, "answerKey");
  if (key != nullptr && key->is_number()) throw Error("field answerKey: is {}, expected a label", shown(*key));
  question.right = right_of(line, "answerKey", labels);
  return question;
}

Question lettered(const Json& line) {
  Question question{.text = text_in(line, "question")};
  for (const std::string& letter : letters(kMostOptions)) {
    if (find_field(line, letter.c_str()) == nullptr) break;
    question.options.push_back(text_in(line, letter));
  }
  question.right = right_of(line, "answer", letters(question.options.size()));
  return question;
}

Question mmlu(const Json& line) {
  Question question{.text = text_in(line, "question"), .options = texts_in(*find(line, "choices"), "choices")};
  question.right = right_of(line, "answer", letters(question.options.size()));
  return question;
}

// An answer in words. Of GSM8K it is what follows the last ####.
Question answered(const Json& line, const char* asked) {
  Question question{.system = text_or_none(line, "system"), .text = text_in(line, asked)};
  if (find(line, "answer") == nullptr) {
    throw Error("field answer: missing; a set without answers cannot be scored");
  }
  const Json& answer = *find(line, "answer");
  question.answer = answer.is_number() ? answer.dump() : text_in(line, "answer");
  const std::string cot = text_or_none(line, "cot"), final = text_or_none(line, "final");
  question.solution = cot.empty() || final.empty() ? question.answer : reasoning(cot, final);
  const size_t marks = question.answer.rfind("####");
  if (marks != question.answer.npos) question.answer = question.answer.substr(marks + 4);
  if (normal_answer(question.answer).kind == AnswerKind::none) {
    throw Error("field answer: is {}, which cannot be compared with an answer", shortened(question.answer));
  }
  return question;
}

Question question_in(const Json& line) {
  const Json* question = find(line, "question");
  const Json* choices = find(line, "choices");
  if (find_field(line, "endings") != nullptr) return hellaswag(line);
  if (question != nullptr && question->is_object()) {
    return arc(line, text_in(*question, "stem"), need_field(*question, "choices"));
  }
  const bool is_arc = choices != nullptr && (choices->is_object() || find(line, "answerKey") != nullptr);
  if (is_arc) return arc(line, text_in(line, "question"), *choices);
  if (choices != nullptr) return mmlu(line);
  if (question != nullptr && find_field(line, "A") != nullptr) return lettered(line);
  if (find_field(line, "user") != nullptr) return answered(line, "user");
  if (question != nullptr) return answered(line, "question");
  throw Error(
      "unknown form of question; expected the fields user and answer, question and answer, question, A, B and "
      "answer, question, choices and answer, or ctx_a, endings and label");
}

bool has_chinese(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c >= 0x4E00 && c <= 0x9FFF) return true;
  }
  return false;
}

// The group in which a question is counted.
std::string kind_of(const Json& line) {
  for (const char* name : {"kind", "subject", "category", "grade"}) {
    const Json* field = find(line, name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
    if (field != nullptr && field->is_number_integer()) return fmt::format("{} {}", name, field->get<int64_t>());
  }
  return "";
}

}  // namespace

Question read_question(std::string_view text) {
  const Json line = parse_json_object(text, "JSON");
  Question question = question_in(line);
  const size_t options = question.options.size();
  const bool is_choice = options > 0 || question.answer.empty();
  if (is_choice && (options < 2 || options > kMostOptions)) {
    throw Error("has {} options, expected 2 to {}", options, kMostOptions);
  }
  if (question.kind.empty()) question.kind = kind_of(line);
  const Json* split = find(line, "split");
  question.is_example = split != nullptr && *split == "dev";
  return question;
}

QuestionSet read_questions(const std::filesystem::path& path, int64_t shots) {
  const MappedFile file(path);
  QuestionSet set{.name = path.stem().string()};
  int64_t number = 0;
  for (std::string_view rest = file.text(); !rest.empty();) {
    ++number;
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      if (line.size() > kLongestLine) throw Error("has {} bytes, expected at most {}", line.size(), kLongestLine);
      if (set.questions.size() + set.examples.size() == kMostQuestions) {
        throw Error("is beyond question {}, expected no more", kMostQuestions);
      }
      Question question = read_question(line);
      const Task task = question.options.empty() ? Task::answer : Task::choice;
      if (set.questions.empty() && set.examples.empty()) set.task = task;
      if (task != set.task) {
        throw Error("is a question with {}, expected one with {} as before",
                    task == Task::choice ? "options" : "an answer", task == Task::choice ? "an answer" : "options");
      }
      (question.is_example ? set.examples : set.questions).push_back(std::move(question));
    } catch (const Error& error) {
      throw Error("{}: line {}: {}", path.string(), number, error.what());
    }
  }
  if (set.examples.empty()) {
    const auto first = set.questions.begin();
    const auto count = std::min(shots, static_cast<int64_t>(set.questions.size()));
    set.examples.assign(std::make_move_iterator(first), std::make_move_iterator(first + count));
    set.questions.erase(first, first + count);
  }
  if (std::ssize(set.examples) < shots) {
    throw Error("{}: has {} for examples, expected {} or more", path.string(), set.examples.size(), shots);
  }
  if (set.questions.empty()) throw Error("{}: holds no question", path.string());
  const auto chinese = std::ranges::count_if(set.questions, [](const Question& q) { return has_chinese(q.text); });
  set.is_chinese = 2 * chinese > std::ssize(set.questions);
  return set;
}

uint64_t QuestionSet::hash() const {
  uint64_t hash = 0;
  const auto add = [&](std::string_view text) {
    hash = XXH3_64bits_withSeed(text.data(), text.size(), hash + text.size());
  };
  for (const std::vector<Question>* part : {&questions, &examples}) {
    add(fmt::format("{}", part->size()));
    for (const Question& question : *part) {
      for (const std::string* text : {&question.kind, &question.system, &question.text, &question.answer}) add(*text);
      for (const std::string& option : question.options) add(option);
      add(fmt::format("{} {}", question.options.size(), question.right));
    }
  }
  return hash;
}

std::vector<const Question*> examples_for(const QuestionSet& set, const Question& question, int64_t shots) {
  const auto is_alike = [&](const Question& example) { return example.kind == question.kind; };
  const bool some_are_alike = std::any_of(set.examples.begin(), set.examples.end(), is_alike);
  std::vector<const Question*> chosen;
  for (const Question& example : set.examples) {
    if (std::ssize(chosen) < shots && (is_alike(example) || !some_are_alike)) chosen.push_back(&example);
  }
  return chosen;
}

std::string lettered_options(const Question& question) {
  std::string text;
  for (size_t i = 0; i < question.options.size(); ++i) {
    text += fmt::format("{}{}. {}", i == 0 ? "" : "\n", static_cast<char>('A' + i), question.options[i]);
  }
  return text;
}

}  // namespace tinyllm::eval
