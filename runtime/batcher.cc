#include <tinyllm/runtime/batcher.h>

#include <tinyllm/runtime/answering.h>
#include <tinyllm/runtime/prefix_cache.h>

#include <algorithm>
#include <deque>
#include <list>
#include <mutex>
#include <set>

namespace tinyllm {
namespace {

void check(const Request& request, const Session& session) {
  const int64_t vocab_size = session.model().config.vocab_size;
  const GenerateOptions& options = request.options;
  if (request.prompt.empty()) throw Error("request: a prompt is empty");
  if (std::ssize(request.prompt) >= session.context()) {
    throw Error("request: a prompt of {} tokens leaves no room in a context of {}", request.prompt.size(),
                session.context());
  }
  if (options.max_tokens < 1) throw Error("request: max_tokens {}, expected 1 or more", options.max_tokens);
  if (options.top_log_probs < -1 || options.top_log_probs > vocab_size) {
    throw Error("request: top_log_probs {}, expected -1 (none) to {}", options.top_log_probs, vocab_size);
  }
  for (const int32_t token : request.prompt) {
    if (token < 0 || token >= vocab_size) {
      throw Error("request: token {} in a prompt, expected 0 to {}", token, vocab_size - 1);
    }
  }
  check(options.sampling, vocab_size);
  TextStream(*session.model().tokenizer, options.stop);
}

struct Waiting {
  Batcher::Id id;
  Request request;
  Clock::time_point submitted;
};

void end_unstarted(Waiting& waiting, FinishReason reason, std::string error = {}) {
  Completion completion;
  completion.finish_reason = reason;
  completion.error = std::move(error);
  completion.prompt_tokens = std::ssize(waiting.request.prompt);
  completion.seconds = seconds_since(waiting.submitted);
  if (waiting.request.on_done) waiting.request.on_done(std::move(completion));
}

}  // namespace

struct Batcher::State {
  State(Session& s, const BatcherOptions& o) : session(s), options(o) {}

  Session& session;
  BatcherOptions options;

  std::mutex mutex;  // Guards the next three.
  std::deque<Waiting> submitted;
  std::set<Id> cancelled;
  Id last_id = 0;

  // Used only by the thread that calls `step`.
  std::deque<Waiting> waiting;
  std::list<Answering> running;
  PrefixCache kept;

  void take_submitted_and_cancelled();
  void admit();
  bool admit(Waiting& next);
  bool must_wait(const Request& request) const;
  int64_t pages_needed() const;
  const Sequence* longest_prefix(std::span<const int32_t> prompt);
  Sequence start(std::span<const int32_t> prompt);
  void retire(Answering& answering);
  bool is_idle();
};

// Both at once: a request that is cancelled has been submitted before.
void Batcher::State::take_submitted_and_cancelled() {
  std::set<Id> ids;
  {
    const std::lock_guard lock(mutex);
    std::ranges::move(submitted, std::back_inserter(waiting));
    submitted.clear();
    ids.swap(cancelled);
  }
  if (ids.empty()) return;
  std::erase_if(waiting, [&](Waiting& one) {
    if (!ids.contains(one.id)) return false;
    end_unstarted(one, FinishReason::cancelled);
    return true;
  });
  running.remove_if([&](Answering& one) {
    if (!ids.contains(one.id())) return false;
    one.cancel();
    retire(one);
    return true;
  });
}

// The sequence, running or kept, that shares the longest prefix with a prompt; null if none shares any.
const Sequence* Batcher::State::longest_prefix(std::span<const int32_t> prompt) {
  const Sequence* best = kept.find(prompt);
  size_t longest = best == nullptr ? 0 : common_prefix(best->tokens(), prompt);
  for (const Answering& one : running) {
    const size_t common = common_prefix(one.sequence().tokens(), prompt);
    if (common <= longest) continue;
    longest = common;
    best = &one.sequence();
  }
  return best;
}

// Whether a running request uses the same sequence, or is about to compute at least a page more of the same prompt.
bool Batcher::State::must_wait(const Request& request) const {
  return std::ranges::any_of(running, [&](const Answering& one) {
    if (request.sequence != nullptr) return request.sequence == &one.sequence();
    const size_t common = common_prefix(one.request().prompt, request.prompt);
    return one.is_in_prompt() && common >= static_cast<size_t>(one.sequence().size() + kCachePage);
  });
}

// Free pages that the running requests may still take.
int64_t Batcher::State::pages_needed() const {
  int64_t needed = 0;
  for (const Answering& one : running) {
    needed += tinyllm::pages_needed(one.request(), one.sequence(), session);
  }
  return needed;
}

// A sequence with as much of the prompt as another one has.
Sequence Batcher::State::start(std::span<const int32_t> prompt) {
  const Sequence* source = longest_prefix(prompt);
  if (source == nullptr) return session.start();
  Sequence sequence = source->fork();
  keep_prefix(sequence, prompt);
  return sequence;
}

// Admits a request if the running ones and this one can all grow to their full lengths, so that no pass ever lacks a
// page. Returns false when it must wait.
bool Batcher::State::admit(Waiting& next) {
  const Request& request = next.request;
  if (must_wait(request)) return false;
  for (;;) {
    Sequence own = request.sequence != nullptr ? session.start() : start(request.prompt);
    Sequence& sequence = request.sequence != nullptr ? *request.sequence : own;
    keep_prefix(sequence, request.prompt);
    const int64_t needed = tinyllm::pages_needed(request, sequence, session);
    if (needed + pages_needed() <= session.free_pages()) {
      running.emplace_back(session, next.id, std::move(next.request), std::move(own), next.submitted);
      return true;
    }
    if (kept.drop_oldest()) continue;
    if (!running.empty()) return false;
    end_unstarted(next, FinishReason::failed,
                  fmt::format("request: {} more pages of {} tokens for the prompt and its answer, expected at most the "
                              "{} that are free",
                              needed, kCachePage, session.free_pages()));
    return true;
  }
}

void Batcher::State::admit() {
  while (!waiting.empty() && std::ssize(running) < options.max_running) {
    try {
      if (!admit(waiting.front())) return;
    } catch (const Error& error) {  // Its sequence belongs to another session.
      end_unstarted(waiting.front(), FinishReason::failed, error.what());
    }
    waiting.pop_front();
  }
}

void Batcher::State::retire(Answering& answering) {
  if (!options.keeps_prefixes) return;
  if (std::optional<Sequence> sequence = answering.take_sequence()) kept.keep(*std::move(sequence));
}

bool Batcher::State::is_idle() {
  const std::lock_guard lock(mutex);
  return running.empty() && waiting.empty() && submitted.empty();
}

Batcher::Batcher(Session& session, const BatcherOptions& options) {
  if (options.max_running < 1) throw Error("batcher: max_running {}, expected 1 or more", options.max_running);
  state_ = std::make_unique<State>(session, options);
}
Batcher::~Batcher() = default;

Batcher::Id Batcher::submit(Request request) {
  check(request, state_->session);
  const std::lock_guard lock(state_->mutex);
  state_->submitted.push_back({++state_->last_id, std::move(request), Clock::now()});
  return state_->last_id;
}

void Batcher::cancel(Id id) {
  const std::lock_guard lock(state_->mutex);
  state_->cancelled.insert(id);
}

bool Batcher::step() {
  State& s = *state_;
  s.take_submitted_and_cancelled();
  s.admit();
  std::vector<Session::Feed> feeds;
  for (Answering& one : s.running) feeds.push_back(one.feed());
  if (!feeds.empty()) s.session.forward(feeds);
  s.running.remove_if([&](Answering& one) {
    if (one.advance()) return false;
    s.retire(one);
    return true;
  });
  return !s.is_idle();
}

}  // namespace tinyllm
