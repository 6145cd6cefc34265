#include <tinyllm/runtime/generate.h>

#include <tinyllm/runtime/text_stream.h>

#include <algorithm>
#include <chrono>
#include <list>

namespace tinyllm {
namespace {

// Tokens of a prompt that are read in one pass. Between passes an answer can be cancelled.
constexpr size_t kChunk = 128;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

size_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

void check(const Request& request, const Session& session) {
  const ModelConfig& config = session.model().config;
  if (request.prompt.empty()) throw Error("request: a prompt is empty");
  if (static_cast<int64_t>(request.prompt.size()) >= session.context()) {
    throw Error("request: a prompt of {} tokens leaves no room in a context of {}", request.prompt.size(),
                session.context());
  }
  if (request.options.max_tokens < 1) {
    throw Error("request: max_tokens {}, expected 1 or more", request.options.max_tokens);
  }
  check(request.options.sampling, config.vocab_size);
  TextStream(session.model().tokenizer, request.options.stop);
}

// An answer that is being generated.
class Running {
 public:
  Running(Session& session, size_t index, const Request& request, Answer& answer, const Sequence* prefix)
      : session_(session),
        index_(index),
        request_(request),
        answer_(answer),
        own_(prefix == nullptr ? session.start() : prefix->fork()),
        sampler_(request.options.sampling, session.model().config.vocab_size),
        stream_(session.model().tokenizer, request.options.stop) {
    begin_with(request.prompt);
    answer_.prompt_tokens = static_cast<int64_t>(request.prompt.size());
    answer_.read_tokens = static_cast<int64_t>(unread_.size());
  }

  Session::Reading next() { return {&sequence(), std::span(unread_).first(std::min(kChunk, unread_.size()))}; }

  // After the tokens of `next` were read; `start` is when the call began. Returns false when the answer has ended.
  bool advance(const OnText& on_text, Clock::time_point start) {
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(std::min(kChunk, unread_.size())));
    std::string text;
    bool has_ended = false;
    if (unread_.empty()) {
      const int32_t token = sampler_.next(sequence().logits(), sequence().tokens());
      if (answer_.tokens.empty()) answer_.first_token_seconds = seconds_since(start);
      has_ended = !take(token, text);
      if (has_ended && !stream_.stopped()) text += stream_.finish();
    }
    answer_.text += text;
    if (on_text && !on_text(index_, text) && !has_ended) {
      const std::string rest = stream_.finish();
      answer_.text += rest;
      on_text(index_, rest);
      answer_.ended = Ended::cancelled;
      has_ended = true;
    }
    answer_.seconds = seconds_since(start);
    return !has_ended;
  }

 private:
  Sequence& sequence() { return request_.sequence != nullptr ? *request_.sequence : own_; }

  bool end(Ended why) {
    answer_.ended = why;
    return false;
  }

  bool take(int32_t token, std::string& text) {
    if (token == kEosId) return end(Ended::end_token);
    answer_.tokens.push_back(token);
    text = stream_.add(token);
    if (stream_.stopped()) return end(Ended::stop_string);
    if (static_cast<int64_t>(answer_.tokens.size()) >= request_.options.max_tokens) return end(Ended::max_tokens);
    if (sequence().size() < session_.context()) {
      unread_ = {token};
      return true;
    }
    if (!request_.shorten) return end(Ended::context_full);
    std::vector<int32_t> shorter = request_.shorten(static_cast<int64_t>(answer_.tokens.size()));
    const size_t size = shorter.size() + answer_.tokens.size();
    if (shorter.empty() || static_cast<int64_t>(size) > session_.context()) {
      return end(Ended::context_full);
    }
    shorter.insert(shorter.end(), answer_.tokens.begin(), answer_.tokens.end());
    begin_with(shorter);
    return true;
  }

  // What the sequence already holds of the first tokens is kept. The last token is read again: its logits are wanted.
  void begin_with(std::span<const int32_t> tokens) {
    const size_t held = std::min(common_prefix(sequence().tokens(), tokens), tokens.size() - 1);
    sequence().rewind(static_cast<int64_t>(held));
    unread_.assign(tokens.begin() + static_cast<std::ptrdiff_t>(held), tokens.end());
  }

  Session& session_;
  size_t index_;
  const Request& request_;
  Answer& answer_;
  Sequence own_;
  Sampler sampler_;
  TextStream stream_;
  std::vector<int32_t> unread_;
};

// The common beginning of all prompts, read once; empty when it is shorter than a page.
Sequence shared_prefix(Session& session, std::span<const Request> requests) {
  Sequence prefix = session.start();
  if (requests.size() < 2) return prefix;
  std::span<const int32_t> common = requests[0].prompt;
  for (const Request& request : requests) {
    common = common.first(std::min(common_prefix(common, request.prompt), request.prompt.size() - 1));
  }
  if (static_cast<int64_t>(common.size()) >= kCachePage) session.read(prefix, common);
  return prefix;
}

}  // namespace

const char* name_of(Ended ended) {
  switch (ended) {
    case Ended::end_token:
      return "end token";
    case Ended::stop_string:
      return "stop string";
    case Ended::max_tokens:
      return "max tokens";
    case Ended::context_full:
      return "context full";
    case Ended::cancelled:
      return "cancelled";
  }
  return "";
}

std::vector<Answer> generate(Session& session, std::span<const Request> requests, const OnText& on_text) {
  const Clock::time_point start = Clock::now();
  for (const Request& request : requests) check(request, session);
  const Sequence prefix = shared_prefix(session, requests);
  std::vector<Answer> answers(requests.size());
  std::list<Running> running;
  size_t begun = 0;
  for (;;) {
    while (begun < requests.size() && static_cast<int64_t>(running.size()) < session.sequences()) {
      running.emplace_back(session, begun, requests[begun], answers[begun], prefix.size() > 0 ? &prefix : nullptr);
      ++begun;
    }
    if (running.empty()) return answers;
    std::vector<Session::Reading> readings;
    for (Running& one : running) readings.push_back(one.next());
    session.read(readings);
    running.remove_if([&](Running& one) { return !one.advance(on_text, start); });
  }
}

}  // namespace tinyllm
