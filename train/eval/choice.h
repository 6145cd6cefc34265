#pragma once

#include <tinyllm/train/eval/log_likelihood.h>
#include <tinyllm/train/eval/question_set.h>
#include <tinyllm/train/eval/results.h>

#include <span>
#include <string>
#include <vector>

// Multiple choice by likelihood: nothing is generated, the option that the model finds likeliest is its answer.
namespace tinyllm::eval {

/// How questions are put.
struct ChoiceOptions {
  int64_t shots = 0;     ///< Examples before each question.
  bool is_chat = false;  ///< In the chat template of the model, as what the user says; else as plain text.
  bool rotates = true;   ///< Ask also with the options in other orders.
};

/// A text and what may follow it. The endings begin with a blank, but for those of chats.
struct ChoicePrompt {
  std::string context;
  std::vector<std::string> endings;
};

/// The question with its options on lines of their own, each after a letter, and the letters as endings. The options
/// are shifted by `rotation`: letter A has option `rotation`. Form of lm-evaluation-harness's C-Eval, CMMLU and MMLU:
/// `{question}\nA. {A}\n ... \n答案：` (Chinese) or `Answer:`, examples before it, with empty lines between.
ChoicePrompt letter_prompt(const QuestionSet& set, const Question& question, const ChoiceOptions& options,
                           size_t rotation = 0);

/// The question without its options, and these as endings. Form of lm-evaluation-harness's ARC,
/// `Question: {question}\nAnswer:`, or 问题： and 答案：; of HellaSwag the text alone.
ChoicePrompt text_prompt(const QuestionSet& set, const Question& question, const ChoiceOptions& options);

/// Scores questions of a set, given by index, all at once. The scores of a question are 1 if its right option is the
/// likeliest one (the first of equal ones), by the log-likelihood of
///
///   letter              its letter
///   letter_rotated      its letter, the fraction of all rotations of the options in which it is the likeliest
///   text                its text (`acc` of lm-evaluation-harness)
///   text_per_character  its text, divided by its characters (`acc_norm`)
///   text_per_byte       its text, divided by its bytes in UTF-8 (`acc_bytes`)
///   text_pmi            its text, minus that of the text without a question (`acc_mutual_info`)
///
/// Options that continue a text have no letters. `model` is that of the session.
std::vector<Result> score_choices(LogLikelihoods& likelihoods, const Model& model, const QuestionSet& set,
                                  std::span<const size_t> questions, const ChoiceOptions& options);

}  // namespace tinyllm::eval
