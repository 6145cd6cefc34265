// The chains of thought of a job that vote on its one answer. For the scheduler's thread.
#pragma once

#include <tinyllm/runtime/serve/job.h>

#include <vector>

namespace tinyllm {

class ChainVote {
 public:
  explicit ChainVote(const Job::Vote& vote) : vote_(vote), poll_("", vote.poll) {}

  /// The number of chains, from the first one on, that may begin.
  size_t open() const { return failure_ ? 0 : poll_.open(); }
  /// A chain has failed or was cancelled, which ends the vote.
  bool has_failed() const { return failure_.has_value(); }
  /// Whether the vote has ended. `begun`: how many chains were given to the batcher.
  bool is_over(size_t begun) const { return failure_ ? ended_ >= begun : poll_.is_over(); }
  int64_t ended() const { return static_cast<int64_t>(ended_); }
  int64_t samples() const { return vote_.poll.chains; }

  void add(AnswerPart&& part);
  /// A chain has ended. What it said counts if it did not fail and was not cancelled.
  void end(AnswerEnd&& end, const SampledChain& said);

  /// For the listener: what the best chain said, and how it ended.
  struct Result {
    AnswerPart part;
    AnswerEnd end;
  };
  Result result();

 private:
  struct Chain {
    AnswerPart part;
    AnswerEnd end;
  };
  Chain& chain(size_t choice);

  Job::Vote vote_;
  Poll poll_;
  std::vector<Chain> chains_;
  std::optional<AnswerEnd> failure_;
  size_t ended_ = 0;
  int64_t completion_tokens_ = 0, reasoning_tokens_ = 0, computed_again_ = 0;
};

}  // namespace tinyllm
