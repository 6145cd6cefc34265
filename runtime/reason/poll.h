#pragma once

#include <tinyllm/runtime/reason/calculator_constraint.h>
#include <tinyllm/runtime/reason/vote.h>
#include <tinyllm/runtime/request.h>

namespace tinyllm {

struct PollOptions {
  int64_t chains = 5;  ///< The most that are sampled, 1 to kMaxChains.
  /// No more chains are sampled once the answer is decided with this confidence (`is_decided`), above 0.5. 1: all are.
  double confidence = 0.9;
  VoteRules rules = {};
};

/// A vote of chains of thought while they are sampled: 3 at first, then 2 at a time until the answer is decided. Which
/// chains are sampled depends on what they say alone, not on which ends first.
class Poll {
 public:
  /// Throws Error that names the option that is out of its range.
  Poll(std::string question, const PollOptions& options);

  const PollOptions& options() const { return options_; }
  /// How many chains, from the first on, may be sampled. Grows when all of these have ended, unless the poll is over.
  size_t open() const { return ballots_.size(); }
  /// Adds a chain that has ended, each one once.
  const Ballot& add(size_t chain, const SampledChain& said);
  /// No chains are sampled beyond those that are open.
  void close() { options_.chains = std::ssize(ballots_); }
  /// Whether all open chains have ended and no more are needed.
  bool is_over() const { return is_over_; }

  /// Of the open chains. Those that have not ended have no answer.
  const std::vector<Ballot>& ballots() const { return ballots_; }
  Verdict verdict() const { return count_votes(ballots_); }

 private:
  std::string question_;
  PollOptions options_;
  std::vector<Ballot> ballots_;
  size_t ended_ = 0;
  bool is_over_ = false;
};

/// The mean log-probability of the tokens that the model itself drew, with the end token: for
/// `SampledChain::mean_log_prob`. -infinity if there are none. The request must have had `top_log_probs` of 0 or more;
/// `calculator`, if it is not null, its constraint, made with the same `begun`.
double mean_log_prob(const Completion& completion, const CalculatorConstraints* calculator,
                     std::string_view begun = {});

/// Whether a model did not end what it said.
bool is_cut_off(FinishReason reason);

}  // namespace tinyllm
