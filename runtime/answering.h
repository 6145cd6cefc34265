// One request while it is answered. Only batcher.cc includes this.
#pragma once

#include <tinyllm/runtime/request.h>
#include <tinyllm/runtime/text_stream.h>
#include <tinyllm/tensor/base/clock.h>

#include <optional>

namespace tinyllm {

/// Free pages of the cache that a sequence may still take until the request has ended.
int64_t pages_needed(const Request& request, const Sequence& sequence, const Session& session);

/// Truncates a sequence to what it shares with the first tokens, except the last one: its logits are wanted.
void keep_prefix(Sequence& sequence, std::span<const int32_t> tokens);

class Answering {
 public:
  /// `own` is the sequence to use if the request has none. What it holds of the prompt is not computed again.
  Answering(Session& session, uint64_t id, Request request, Sequence own, Clock::time_point submitted);

  uint64_t id() const { return id_; }
  const Request& request() const { return request_; }
  const Sequence& sequence() const { return request_.sequence != nullptr ? *request_.sequence : own_; }
  bool is_in_prompt() const { return completion_.tokens.empty(); }
  /// Tokens that are not computed yet, at least one.
  int64_t unread() const { return std::ssize(unread_); }
  /// Of prompts that are read, one with a lower turn comes first.
  int64_t turn() const { return turn_; }
  void set_turn(int64_t turn) { turn_ = turn; }
  /// The next tokens to compute, at most so many.
  Session::Feed feed(int64_t most);
  /// For a request that reads its whole prompt: what was computed for each token of `feed`, before `advance`.
  void see(size_t token, std::span<const float> logits);
  void see_hidden(std::span<const float> hidden);
  /// Draws what follows the tokens of `feed`, once they were computed. Changes nothing that others see: several may
  /// draw at once, on any threads.
  void draw();
  /// Continues with what was drawn. Returns false when the answer has ended.
  bool advance();
  /// Ends the answer with what it has, including text that was held back.
  void cancel();
  /// The sequence of an answer that has ended, to be kept. None if it belongs to the caller.
  std::optional<Sequence> take_sequence();

 private:
  Sequence& sequence() { return request_.sequence != nullptr ? *request_.sequence : own_; }
  void begin_with(std::span<const int32_t> tokens);
  std::vector<int32_t> next_tokens();
  TokenLogProbs log_probs_of(std::span<const float> logits, int32_t token, int64_t top) const;
  std::optional<FinishReason> answer_on(std::string& text);
  bool feed_back(int32_t token);
  void end(FinishReason reason, std::string error = {});

  Session& session_;
  uint64_t id_;
  Request request_;
  Completion completion_;
  Sequence own_;
  Sampler sampler_;
  TextStream stream_;
  std::vector<int32_t> unread_;  // Tokens that the model has not seen yet.
  int64_t fed_ = 0;              // Of these, the first ones that are being computed.
  int64_t turn_ = 0;
  std::vector<int32_t> drawn_;              // The next tokens of the answer,
  std::optional<TokenLogProbs> log_probs_;  // and the log-probabilities of the first, if they are wanted.
  std::string failure_;                     // While the prompt was read, or in drawing.
  Clock::time_point submitted_;
};

}  // namespace tinyllm
