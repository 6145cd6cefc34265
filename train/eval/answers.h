#pragma once

#include <tinyllm/runtime/reason/vote.h>
#include <tinyllm/runtime/session.h>
#include <tinyllm/train/eval/question_set.h>
#include <tinyllm/train/eval/results.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

// Exact match: the model answers in words, and its answer is compared with the right one by value.
namespace tinyllm::eval {

/// How questions are put and answered.
struct AnswerOptions {
  int64_t shots = 0;        ///< Examples before each question.
  bool is_chat = true;      ///< In the chat template of the model; else as plain text.
  std::string system = {};  ///< The system prompt of questions without one; may be empty.
  int64_t max_tokens = 512;
  int64_t chains = 0;        ///< Chains to sample for each question, besides the greedy one.
  float temperature = 0.8f;  ///< Of these.
  bool forces =
      false;  ///< Answer also with a calculator that writes the results of equations (calculator_constraint.h).
  uint64_t seed = 1;
};

/// What a model said to one question. Chain k is a function of the model, the question, its index, the seed and k
/// alone.
struct Answers {
  SampledChain greedy = {};
  std::vector<SampledChain> chains = {};
};

/// The votes that are reported: of the first 3, 5 and 7 chains.
inline constexpr int64_t kVotes[] = {3, 5, 7};

/// The scores of a question, 1 if right and else 0:
///
///   greedy            the likeliest answer, wherever it was found
///   greedy_strict     the same if it was marked: after 【最终答案】 or `####`, in `\boxed{}` or `<answer>`
///   greedy_checked    the same if no equation before it is false; not scored otherwise (calculator: check)
///   greedy_corrected  after correction of what follows from false equations (calculator: correct)
///   template          whether it ended by itself and has both sections, 【推理过程】 and 【最终答案】
///   equations         whether none of its equations is false; not scored if it has none
///   forced, forced_strict  the likeliest answer with results written by the calculator (calculator: force)
///   sampled           the fraction of chains that are right
///   pass_3, ...       whether any of so many chains is right, estimated from all of them (pass_at_k)
///   vote_3, ...       the answer of most of the first so many chains
///   vote_3_checked    where each false equation divides the weight of a chain by 10
///   vote_3_corrected  the same after correction
///   forced_vote_3     of chains with results written by the calculator
///
/// `forced` is null if the model was not asked so.
Result score_answers(const Question& question, const Answers& answers, const Answers* forced = nullptr);

/// What happens while questions are asked.
struct OnAnswers {
  std::function<void(Result result)> result;  ///< The result of a question, in any order.
  /// Called after each pass with the tokens that it computed. Return false to stop; questions without a result are
  /// lost.
  std::function<bool(int64_t tokens)> pass = [](int64_t) { return true; };
};

/// Asks questions of a set, given by index, as many at once as the session's cache has room for. A question that does
/// not fit into the context has the scores of an empty answer.
void ask(Session& session, const QuestionSet& set, std::span<const size_t> questions, const AnswerOptions& options,
         const OnAnswers& on);

}  // namespace tinyllm::eval
