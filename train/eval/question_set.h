#pragma once

#include <tinyllm/tensor/base/names.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::eval {

/// How a question is answered: in words, which are compared with the right answer, or by one of several options.
enum class Task : uint8_t { answer, choice };
constexpr auto names(Task) { return std::array{"answer", "choice"}; }

/// A question with its right answer.
struct Question {
  std::string kind = {};                  ///< Its kind, subject or grade; may be empty.
  std::string system = {};                ///< What the model is told to be; may be empty.
  std::string text = {};                  ///< What is asked, or what is to be continued.
  std::string answer = {};                ///< Of Task::answer: the right answer, as "12个".
  std::string solution = {};              ///< Of Task::answer: the whole text of a good answer, for examples.
  std::vector<std::string> options = {};  ///< Of Task::choice: 2 to 26.
  size_t right = 0;                       ///< Index of the right option.
  bool is_continued = false;              ///< The options continue the text (HellaSwag) instead of answering it.
  bool is_example = false;                ///< Of the split `dev`, which is for examples (C-Eval, CMMLU, MMLU).
};

/// A question from a line of JSON, by the fields that it has:
///
///   HellaSwag        ctx_a (or ctx), endings, label; ctx_b, activity_label
///   ARC              question {stem, choices: [{text, label}]}, or question, choices {text: [], label: []}; answerKey
///   MMLU             question, choices: [], answer (index or letter); subject, split
///   C-Eval, CMMLU    question, A, B, ... Z, answer (letter); subject, split. Names may begin with a capital.
///   GSM8K            question, answer ("... #### 72")
///   our own, CMATH   user, answer; system, kind or grade, cot and final
///
/// There may be 2 to 26 options. Of a HellaSwag text, what is in brackets is dropped, as lm-evaluation-harness does.
/// Throws Error that says what was found and what was expected.
Question read_question(std::string_view line);

/// The questions of a file of JSON lines, all of one task.
struct QuestionSet {
  std::string name = {};  ///< Of the file, without its ending.
  Task task = Task::answer;
  bool is_chinese = false;  ///< More than half of the questions have a Chinese character.
  std::vector<Question> questions = {};
  std::vector<Question> examples = {};  ///< Never asked.

  /// Of all questions and examples.
  uint64_t hash() const;
};

/// Reads a set. Lines of the split `dev` become its examples; if `shots` is above 0 and there are none, the first
/// `shots` questions do. Throws Error that names the file and the line, when a line has more than 1 MiB, when there are
/// no questions or more than a million, when they are of different tasks, or when there are fewer than `shots`
/// examples.
QuestionSet read_questions(const std::filesystem::path& path, int64_t shots = 0);

/// The first `shots` examples of the question's kind, or of all if there are none of its kind. Fewer if a kind has
/// fewer.
std::vector<const Question*> examples_for(const QuestionSet& set, const Question& question, int64_t shots);

/// "A. 苹果\nB. 梨": the options of a question, one on a line.
std::string lettered_options(const Question& question);

}  // namespace tinyllm::eval
