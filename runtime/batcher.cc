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

// Tokens of one request that are computed in one pass. Between passes, others advance and an answer can be cancelled.
constexpr int64_t kChunk = 128;
// Tokens of a pass, as few as its prompts may be left with and as many as there may be.
constexpr int64_t kLeastPass = 64, kMostPass = 512;

void check(const Request& request, const Session& session) {
  const int64_t vocab_size = session.model().config.vocab_size;
  const GenerateOptions& options = request.options;
  if (request.prompt.empty()) throw Error("request: a prompt is empty");
  if (std::ssize(request.prompt) + std::min<int64_t>(options.max_tokens, 1) > session.context()) {
    throw Error("request: a prompt of {} tokens leaves no room in a context of {}", request.prompt.size(),
                session.context());
  }
  if (options.max_tokens < 0) throw Error("request: max_tokens {}, expected 0 or more", options.max_tokens);
  if (options.top_log_probs < -1 || options.top_log_probs > vocab_size) {
    throw Error("request: top_log_probs {}, expected -1 (none) to {}", options.top_log_probs, vocab_size);
  }
  if (options.prompt_log_probs < -1 || options.prompt_log_probs > vocab_size) {
    throw Error("request: prompt_log_probs {}, expected -1 (none) to {}", options.prompt_log_probs, vocab_size);
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
  int64_t pass_tokens = kMostPass;  // As many as take about options.pass_seconds.
  int64_t passes = 0;
  BatcherPass last_pass;

  void take_submitted_and_cancelled();
  void admit();
  bool admit(Waiting& next);
  bool must_wait(const Request& request) const;
  int64_t pages_needed() const;
  const Sequence* longest_prefix(const Request& request);
  Sequence start(const Request& request);
  std::vector<Answering*> chosen(std::vector<Session::Feed>& feeds);
  void compute(std::span<Answering* const> chosen, std::span<const Session::Feed> feeds);
  void measure(int64_t tokens, double seconds);
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
const Sequence* Batcher::State::longest_prefix(const Request& request) {
  const Sequence* best = kept.find(request.prompt, request.group);
  size_t longest = best == nullptr ? 0 : common_prefix(best->tokens(), request.prompt);
  for (const Answering& one : running) {
    if (one.request().group != request.group) continue;
    const size_t common = common_prefix(one.sequence().tokens(), request.prompt);
    if (common <= longest) continue;
    longest = common;
    best = &one.sequence();
  }
  return best;
}

// Whether a running request uses the same sequence, or is about to compute at least a page more of the same prompt, or
// the rest of all of it.
bool Batcher::State::must_wait(const Request& request) const {
  return std::ranges::any_of(running, [&](const Answering& one) {
    if (request.sequence != nullptr) return request.sequence == &one.sequence();
    if (request.group != one.request().group || request.reads_whole_prompt()) return false;
    const size_t common = common_prefix(one.request().prompt, request.prompt);
    if (!one.is_in_prompt()) return false;
    const bool is_equal = common == request.prompt.size() && common == one.request().prompt.size();
    return common >= static_cast<size_t>(one.sequence().size() + (is_equal ? 2 : kCachePage));
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
Sequence Batcher::State::start(const Request& request) {
  const Sequence* source = request.reads_whole_prompt() ? nullptr : longest_prefix(request);
  if (source == nullptr) return session.start();
  Sequence sequence = source->fork();
  keep_prefix(sequence, request.prompt);
  return sequence;
}

// Admits a request if the running ones and this one can all grow to their full lengths, so that no pass ever lacks a
// page. Returns false when it must wait for room.
bool Batcher::State::admit(Waiting& next) {
  const Request& request = next.request;
  for (;;) {
    Sequence own = request.sequence != nullptr ? session.start() : start(request);
    Sequence& sequence = request.sequence != nullptr ? *request.sequence : own;
    if (request.reads_whole_prompt()) sequence.truncate(0);
    keep_prefix(sequence, request.prompt);
    const int64_t needed = tinyllm::pages_needed(request, sequence, session);
    if (needed + pages_needed() <= session.free_pages()) {
      running.emplace_back(session, next.id, std::move(next.request), std::move(own), next.submitted);
      // The shortest first; but a prompt that came earlier is as if it were a chunk shorter for each pass. So what goes
      // before a prompt is known when it is admitted, but for shorter ones of the next passes, and it never starves.
      running.back().set_turn(running.back().unread() + kChunk * passes);
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

// In the order of submission. One that waits for a prompt to be computed does not hold up those after it; one that
// waits for room does, or it might wait for ever.
void Batcher::State::admit() {
  for (auto next = waiting.begin(); next != waiting.end() && std::ssize(running) < options.max_running;) {
    if (must_wait(next->request)) {
      ++next;
      continue;
    }
    try {
      if (!admit(*next)) return;
    } catch (const Error& error) {  // Its sequence is not one of this session.
      end_unstarted(*next, FinishReason::failed, error.what());
    }
    next = waiting.erase(next);
  }
}

// The requests of the next pass: every answer, and as many prompts as there is time for, in turn.
std::vector<Answering*> Batcher::State::chosen(std::vector<Session::Feed>& feeds) {
  std::vector<Answering*> answers, prompts;
  int64_t tokens = 0;
  for (Answering& one : running) {
    (one.is_in_prompt() ? prompts : answers).push_back(&one);
    if (one.is_in_prompt()) continue;
    feeds.push_back(one.feed(kChunk));
    tokens += std::ssize(feeds.back().tokens);
  }
  std::ranges::stable_sort(prompts, {}, &Answering::turn);
  int64_t left = answers.empty() ? kMostPass : std::max(kLeastPass, pass_tokens - tokens);
  for (Answering* one : prompts) {
    if (left == 0) break;
    feeds.push_back(one->feed(std::min(left, kChunk)));
    left -= std::ssize(feeds.back().tokens);
    answers.push_back(one);
  }
  return answers;
}

void Batcher::State::compute(std::span<Answering* const> all, std::span<const Session::Feed> feeds) {
  std::vector<Session::Feed> together;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i]->is_in_prompt() || !all[i]->request().reads_whole_prompt()) {
      together.push_back(feeds[i]);
      continue;
    }
    session.forward(
        feeds.subspan(i, 1), [&](size_t, size_t token, std::span<const float> logits) { all[i]->see(token, logits); },
        [&](size_t, size_t, std::span<const float> hidden) { all[i]->see_hidden(hidden); });
  }
  if (!together.empty()) session.forward(together);
}

// Adapts the size of the next passes to the time that this one took. Small ones say little about large ones.
void Batcher::State::measure(int64_t tokens, double seconds) {
  last_pass = {tokens, std::ssize(running), seconds};
  if (options.pass_seconds == 0 || 2 * tokens <= pass_tokens) return;
  if (seconds > options.pass_seconds) pass_tokens = std::max(kLeastPass, pass_tokens / 2);
  if (seconds < 0.4 * options.pass_seconds) pass_tokens = std::min(kMostPass, 2 * pass_tokens);
}

void Batcher::State::retire(Answering& answering) {
  if (!options.keeps_prefixes) return;
  if (std::optional<Sequence> sequence = answering.take_sequence()) {
    kept.keep(*std::move(sequence), answering.request().group);
  }
}

bool Batcher::State::is_idle() {
  const std::lock_guard lock(mutex);
  return running.empty() && waiting.empty() && submitted.empty();
}

Batcher::Batcher(Session& session, const BatcherOptions& options) {
  if (options.max_running < 1) throw Error("batcher: max_running {}, expected 1 or more", options.max_running);
  if (!(options.pass_seconds >= 0)) throw Error("batcher: pass_seconds {}, expected 0 or more", options.pass_seconds);
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
  const std::vector<Answering*> chosen = s.chosen(feeds);
  int64_t tokens = 0;
  for (const Session::Feed& feed : feeds) tokens += std::ssize(feed.tokens);
  const auto began = Clock::now();
  if (!feeds.empty()) s.compute(chosen, feeds);
  s.session.pool().parallel_for(std::ssize(chosen), [&](int64_t i) { chosen[static_cast<size_t>(i)]->draw(); });
  s.measure(tokens, seconds_since(began));
  ++s.passes;
  const std::set<const Answering*> computed(chosen.begin(), chosen.end());
  s.running.remove_if([&](Answering& one) {
    if (!computed.contains(&one) || one.advance()) return false;
    s.retire(one);
    return true;
  });
  return !s.is_idle();
}

int64_t Batcher::running() const { return std::ssize(state_->running); }
int64_t Batcher::waiting() const { return std::ssize(state_->waiting); }
const BatcherPass& Batcher::last_pass() const { return state_->last_pass; }

}  // namespace tinyllm
