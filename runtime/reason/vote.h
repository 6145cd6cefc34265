#pragma once

#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/correction.h>
#include <tinyllm/runtime/reason/equations.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Self-consistency: several chains of thought for one question vote on its answer. Source: Wang et al.,
// "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2023. Here a chain with false equations
// weighs less, and answers are compared by value.
namespace tinyllm {

/// The most chains of one question.
inline constexpr int64_t kMaxChains = 128;

/// A chain of thought with its answer, as a model said it.
struct SampledChain {
  std::string text = {};    ///< With what the prompt has of it already, such as `<think>`.
  bool is_cut_off = false;  ///< The model did not end it: it reached a limit, or was cancelled.
  /// Of the tokens that the model itself drew: the mean of their log-probabilities, not NaN.
  double mean_log_prob = -std::numeric_limits<double>::infinity();
};

struct VoteRules {
  /// Each false equation multiplies the weight of a chain by this, 0 to 1. 1: equations are not checked.
  double false_equation_weight = 0.1;
  bool corrects = false;  ///< Correct a chain before it votes, as `corrected_chain` does.
};

/// Throws Error that names the rule that is out of its range.
void check(const VoteRules& rules);

/// A chain as it votes.
struct Ballot {
  std::string text = {};  ///< Of the chain, corrected if the rules say so.
  /// Of kind `none` if there is none. A chain that was cut off has an answer only if that is marked and followed by
  /// something: the last number of an unfinished text is not its answer.
  NormalAnswer answer = {};
  AnswerMarker marker = AnswerMarker::none;
  std::vector<Equation> false_equations = {};  ///< Up to the end of the answer, at bytes of `text`.
  std::vector<Correction> corrections = {};    ///< At bytes of what was said.
  bool is_cut_off = false;
  double weight = 0;  ///< false_equation_weight ^ false equations, rounded to 9 decimals; 0 without an answer.
  double mean_log_prob = -std::numeric_limits<double>::infinity();

  bool has_answer() const { return answer.kind != AnswerKind::none; }
};

/// `question` is for corrections alone. Throws Error as `check` does.
Ballot ballot_of(std::string_view question, const SampledChain& chain, const VoteRules& rules = {});

/// An answer that chains gave.
struct Candidate {
  double score = 0;            ///< The sum of their weights, rounded to 9 decimals.
  std::vector<size_t> chains;  ///< By weight, then by log-probability, then in their order: the first is the best.
};

/// What the chains decided.
struct Verdict {
  /// By score, then by the log-probability of their best chain, then by its order. Empty: no chain has an answer.
  std::vector<Candidate> candidates = {};
  size_t chain = 0;      ///< The one to show: the best of the first candidate, or of all if none has an answer.
  double agreement = 0;  ///< The fraction of all chains that gave the first candidate's answer.
  bool is_tie = false;   ///< The first two candidates have the same score.
};

/// Counts votes. Answers that `same_answer` finds equal in either direction count together. 5 is the same as 5 cm and
/// as 5 kg, though these differ: a chain joins a candidate only if its answer equals each one there, those that say
/// most (a unit, a name) before those that leave it open, and of several candidates the one with the highest score so
/// far. Throws Error when there are no chains.
Verdict count_votes(std::span<const Ballot> ballots);

/// Whether `left` more chains need not be sampled: because they cannot outvote the first candidate, unless answers
/// without a unit change sides, or because it is the likeliest answer with this confidence. Of votes v1 >= v2 for the
/// first two, whole ones, that is P(p1 > p2) = P(Beta(v1 + 1, v2 + 1) > 1/2): 3 to 0 give 0.94, 4 to 1 give 0.89.
/// Source: Aggarwal et al., "Let's Sample Step by Step: Adaptive-Consistency", 2023. A confidence of 1 is never
/// reached.
bool is_decided(const Verdict& verdict, int64_t left, double confidence = 0.9);

}  // namespace tinyllm
