#include <tinyllm/runtime/answering.h>

#include <tinyllm/runtime/prefix_cache.h>

#include <algorithm>
#include <utility>

namespace tinyllm {

int64_t pages_needed(const Request& request, const Sequence& sequence, const Session& session) {
  // After `shorten` it may need all its pages again, except those that it frees.
  if (request.shorten) return Session::pages_for(session.context()) - session.own_pages(sequence);
  const int64_t prompt = std::ssize(request.prompt);
  return session.pages_needed(sequence, prompt + std::min(session.context() - prompt, request.options.max_tokens));
}

void keep_prefix(Sequence& sequence, std::span<const int32_t> tokens) {
  sequence.truncate(static_cast<int64_t>(std::min(common_prefix(sequence.tokens(), tokens), tokens.size() - 1)));
}

Answering::Answering(Session& session, uint64_t id, Request request, Sequence own, Clock::time_point submitted)
    : session_(session),
      id_(id),
      request_(std::move(request)),
      own_(std::move(own)),
      sampler_(request_.options.sampling, session.model().config.vocab_size, session.model().tokenizer->size()),
      stream_(*session.model().tokenizer, request_.options.stop),
      submitted_(submitted) {
  begin_with(request_.prompt);
  completion_.prompt_tokens = std::ssize(request_.prompt);
  completion_.cached_tokens = completion_.prompt_tokens - std::ssize(unread_);
}

void Answering::begin_with(std::span<const int32_t> tokens) {
  keep_prefix(sequence(), tokens);
  unread_.assign(tokens.begin() + sequence().size(), tokens.end());
}

Session::Feed Answering::feed(int64_t most) {
  fed_ = std::min(most, unread());
  return {&sequence(), std::span(unread_).first(static_cast<size_t>(fed_))};
}

void Answering::see(size_t token, std::span<const float> logits) {
  const size_t next = static_cast<size_t>(sequence().size()) + token + 1;
  if (request_.options.prompt_log_probs < 0 || next >= request_.prompt.size()) return;
  try {
    const int64_t top = request_.options.prompt_log_probs;
    completion_.prompt_log_probs.push_back(log_probs_of(logits, request_.prompt[next], top));
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

TokenLogProbs Answering::log_probs_of(std::span<const float> logits, int32_t token, int64_t top) const {
  return log_probs(logits, token, top, session_.model().tokenizer->size());
}

void Answering::see_hidden(std::span<const float> hidden) {
  try {
    if (request_.on_hidden) request_.on_hidden(hidden);
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

void Answering::draw() {
  const GenerateOptions& options = request_.options;
  if (fed_ < unread() || options.max_tokens == 0 || !failure_.empty()) return;
  try {
    drawn_ = next_tokens();
    if (options.top_log_probs >= 0) log_probs_ = log_probs_of(sequence().logits(), drawn_[0], options.top_log_probs);
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

bool Answering::advance() {
  unread_.erase(unread_.begin(), unread_.begin() + fed_);
  std::optional<FinishReason> finished;
  std::string error;
  bool goes_on = true;
  try {
    std::string text;
    if (!failure_.empty()) throw Error("{}", failure_);
    if (unread_.empty()) finished = answer_on(text);
    if (finished && !stream_.stopped()) text += stream_.finish();
    completion_.text += text;
    if (request_.on_text) goes_on = request_.on_text(text, completion_);
  } catch (const std::exception& e) {
    finished = FinishReason::failed;
    error = e.what();
  }
  if (finished) {
    end(*finished, std::move(error));
  } else if (!goes_on) {
    cancel();
  }
  return !finished && goes_on;
}

// The tokens that the constraint forces, or one that is drawn.
std::vector<int32_t> Answering::next_tokens() {
  const GenerateOptions& options = request_.options;
  NextTokens next = options.constraint ? options.constraint(completion_.tokens) : NextTokens{};
  if (next.forced.empty()) {
    return {sampler_.next(sequence().logits(), sequence().tokens(), completion_.tokens, next.allowed)};
  }
  const int64_t tokens = session_.model().tokenizer->size();
  for (const int32_t token : next.forced) {
    if (token < 0 || token >= tokens) throw Error("request: forced token {}, expected 0 to {}", token, tokens - 1);
  }
  // Log-probabilities need the logits before each token.
  if (options.top_log_probs >= 0) next.forced.resize(1);
  return std::move(next.forced);
}

// Appends the next tokens and adds the text that they complete.
std::optional<FinishReason> Answering::answer_on(std::string& text) {
  const GenerateOptions& options = request_.options;
  if (options.max_tokens == 0) return FinishReason::max_tokens;
  if (completion_.tokens.empty()) completion_.first_token_seconds = seconds_since(submitted_);
  for (const int32_t token : drawn_) {
    if (session_.model().tokenizer->is_end(token)) {
      completion_.end_token = token;
      completion_.end_log_probs = std::exchange(log_probs_, std::nullopt);
      return FinishReason::end_token;
    }
    if (log_probs_) completion_.log_probs.push_back(*std::exchange(log_probs_, std::nullopt));
    completion_.offsets.push_back(completion_.text.size() + text.size() + stream_.held() +
                                  stream_.broken_before(token).size());
    completion_.tokens.push_back(token);
    text += stream_.add(token);
    if (stream_.stopped()) return FinishReason::stop_string;
    if (std::ssize(completion_.tokens) >= options.max_tokens) return FinishReason::max_tokens;
    if (!feed_back(token)) return FinishReason::context_full;
  }
  return std::nullopt;
}

// Makes the token the next one to compute. Returns false when the context is full and cannot be shortened.
bool Answering::feed_back(int32_t token) {
  if (sequence().size() + std::ssize(unread_) < session_.context()) {
    unread_.push_back(token);
    return true;
  }
  if (!request_.shorten) return false;
  std::vector<int32_t> tokens = request_.shorten(std::ssize(completion_.tokens));
  if (tokens.empty() || std::ssize(tokens) + std::ssize(completion_.tokens) > session_.context()) return false;
  tokens.insert(tokens.end(), completion_.tokens.begin(), completion_.tokens.end());
  begin_with(tokens);
  return true;
}

void Answering::cancel() {
  const std::string rest = stream_.finish();
  completion_.text += rest;
  try {
    if (request_.on_text) request_.on_text(rest, completion_);
  } catch (const std::exception& error) {
    return end(FinishReason::failed, error.what());
  }
  end(FinishReason::cancelled);
}

void Answering::end(FinishReason reason, std::string error) {
  completion_.finish_reason = reason;
  completion_.error = std::move(error);
  completion_.seconds = seconds_since(submitted_);
  for (size_t& offset : completion_.offsets) offset = std::min(offset, completion_.text.size());
  if (request_.on_done) request_.on_done(std::move(completion_));
}

std::optional<Sequence> Answering::take_sequence() {
  if (request_.sequence != nullptr || own_.size() == 0) return std::nullopt;
  return std::move(own_);
}

}  // namespace tinyllm
