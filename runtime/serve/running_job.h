// A job while it is answered. For the scheduler's thread.
#pragma once

#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/runtime/batcher.h>
#include <tinyllm/runtime/embed.h>
#include <tinyllm/runtime/serve/answer_text.h>
#include <tinyllm/runtime/serve/chain_vote.h>
#include <tinyllm/runtime/serve/job.h>

#include <functional>
#include <map>
#include <vector>

namespace tinyllm {

/// Takes the events of one pass to the thread of the listeners.
using Outbox = std::vector<JobEvent>;

class RunningJob {
 public:
  /// Events are appended to `outbox`. Both references must outlive the job.
  RunningJob(Job job, const Tokenizer& tokenizer, Outbox& outbox);
  RunningJob(const RunningJob&) = delete;
  RunningJob& operator=(const RunningJob&) = delete;

  /// Whether some of its answers were not handed to the batcher yet.
  bool has_more() const { return ids_.size() < answers_.size() && !has_ended() && may_begin(ids_.size()); }
  /// What the batcher is asked for the next answer. The job must not move or end before the batcher has ended it.
  Request next_request();
  void submitted(Batcher::Id id) { ids_.push_back(id); }
  const std::vector<Batcher::Id>& ids() const { return ids_; }

  const Job& job() const { return job_; }
  int64_t answers_left() const { return std::ssize(answers_) - static_cast<int64_t>(ended_); }
  bool has_ended() const { return answers_left() == 0; }
  /// Answers for which the batcher will still call it.
  int64_t in_batcher() const { return std::ssize(ids_) - static_cast<int64_t>(done_); }
  /// Ends every answer that has not ended, before the batcher is told to cancel it.
  void fail(const std::string& error);
  void abandon() { abandon(AnswerEnd::Reason::cancelled, ""); }
  /// Tells the listener that all is well if it has heard nothing for a while.
  void tell_if_silent();

  /// Called with each answer that ended, and for the tokens that a pass has drawn.
  std::function<void(const AnswerEnd& end, const Completion& completion)> on_end;
  std::function<void(int64_t tokens)> on_tokens;

 private:
  struct Answer {
    AnswerText text;
    FilterStream reasoning_filter, answer_filter;
    size_t reasoning_from = 0, answer_from = 0;  // Places up to which the prompt has them.
    size_t next_token = 0;                       // The first that was not reported.
    int64_t counted = 0;
    std::optional<int64_t> cached = {};  // Tokens of its prompt, once it is read.
    bool has_ended = false;
    bool has_prompt = false;  // Whether the log-probabilities of its prompt were sent.
    Embedding embedding = {};

    bool is_refused() const { return reasoning_filter.has_matched() || answer_filter.has_matched(); }
    bool goes_on() const { return text.stopped_by() == nullptr && !is_refused(); }
  };

  bool add(size_t choice, std::string_view text, const Completion& so_far);
  void end(size_t choice, Completion&& completion);
  void end(size_t choice, AnswerEnd&& end, const Completion& completion);
  void end_chain(AnswerEnd&& end, const Completion& completion);
  SampledChain said_by(const AnswerEnd& end, const Completion& completion) const;
  void tell_end(AnswerEnd&& end);
  void abandon(AnswerEnd::Reason reason, const std::string& error);
  AnswerPart part_of(size_t choice, std::string_view text, const Completion& so_far, bool is_last);
  void take_tokens(size_t choice, const Completion& so_far, bool is_last, std::vector<AnswerToken>& out);
  void send(AnswerPart&& part);
  void tell_part(AnswerPart&& part);
  bool may_begin(size_t choice) const;
  void note_prompt(size_t choice, const Completion& so_far);

  Job job_;
  const Tokenizer& tokenizer_;
  Outbox& outbox_;
  std::vector<Answer> answers_;
  std::vector<Batcher::Id> ids_;
  std::map<SharedTokens, std::shared_ptr<const std::vector<TokenLogProbs>>> prompt_log_probs_;  // If they are wanted.
  std::optional<ChainVote> vote_;
  size_t ended_ = 0;
  size_t done_ = 0;  // Of ids_.
  Clock::time_point last_sent_ = Clock::now();
};

}  // namespace tinyllm
