#include <tinyllm/runtime/serve/scheduler.h>

#include <tinyllm/runtime/serve/fair_queue.h>
#include <tinyllm/runtime/serve/running_job.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace tinyllm {
namespace {

constexpr double kStalledSeconds = 30;
constexpr double kAnswerWeight = 2;  // Of a drawn token, beside one of a prompt.

struct Queued {
  Scheduler::Id id;
  Job job;
  Clock::time_point since;

  // Of its prompts; one that several answers have counts once.
  int64_t tokens() const {
    int64_t all = 0;
    for (size_t i = 0; i < job.choices.size(); ++i) {
      if (job.begins_prompt(i)) all += std::ssize(*job.choices[i].prompt);
    }
    return all;
  }
};

struct Running {
  Scheduler::Id id;
  std::unique_ptr<RunningJob> job;
};

// A model with what waits for it and what it answers.
struct Lane {
  std::unique_ptr<Engine> engine;
  int64_t most_queued;
  FairQueue<Queued> queue;
  std::list<Running> running;

  bool is_idle() const { return queue.empty() && running.empty(); }
  // Answers that were handed to the batcher, whether it has admitted them or not.
  int64_t in_batcher() const {
    int64_t all = 0;
    for (const Running& one : running) all += one.job->in_batcher();
    return all;
  }
};

ApiError shutting_down() { return ApiError(503, "shutting_down", "", "{}", kShuttingDown).with_retry_after(5); }

}  // namespace

struct Scheduler::State {
  std::vector<Lane> lanes;
  SchedulerOptions options;
  SchedulerObserver& observer;
  Deliver deliver;
  Outbox outbox;
  double rate = 100;  // Tokens drawn each second, at first a guess.
  int64_t drawn = 0;  // Since `counted_from`.
  Clock::time_point counted_from = Clock::now();

  mutable std::mutex mutex;  // Guards the rest.
  std::condition_variable changed;
  std::vector<Queued> submitted;
  std::vector<Id> cancelled;
  Id last_id = 0;
  bool stops = false;
  bool is_draining = false;
  Clock::time_point drain_end{};
  bool has_drained = false;
  SchedulerState shown;
  Clock::time_point last_pass = Clock::now();
  std::thread thread;

  State(const SchedulerOptions& o, SchedulerObserver& s, Deliver d) : options(o), observer(s), deliver(std::move(d)) {}

  void run();
  bool take_inbox();
  void enqueue(Queued&& queued);
  void cancel(Id id);
  void refuse_all();
  void begin(size_t index);
  Running& begin(size_t index, Queued&& queued);
  void submit_next(Lane& lane, Running& running);
  void pass(size_t index);
  void end_drain();
  void show();
  void refuse(const Queued& queued, const ApiError& error);
  int seconds_to_wait() const;
};

void Scheduler::State::refuse(const Queued& queued, const ApiError& error) {
  outbox.push_back({queued.job.listener, [error](JobListener& listener) { listener.refused(error); }});
}

// Until the queue is expected to be shorter: as long as its answers take, if they are of usual length.
int Scheduler::State::seconds_to_wait() const {
  constexpr double kUsualAnswer = 128;
  size_t queued = 0;
  for (const Lane& lane : lanes) queued += lane.queue.size();
  return static_cast<int>(std::clamp(std::ceil(static_cast<double>(queued) * kUsualAnswer / rate), 1.0, 60.0));
}

void Scheduler::State::enqueue(Queued&& queued) {
  if (is_draining) return refuse(queued, shutting_down());
  Lane& lane = lanes[queued.job.model];
  const uint64_t owner = queued.job.owner;
  lane.queue.push(owner, std::move(queued));
  begin(static_cast<size_t>(&lane - lanes.data()));
  while (static_cast<int64_t>(lane.queue.size()) > lane.most_queued) {
    const Queued last = lane.queue.pop_greediest();
    refuse(last,
           ApiError(429, "server_overloaded", "", "{} requests are waiting; try again later", lane.queue.size() + 1)
               .with_retry_after(seconds_to_wait()));
  }
}

void Scheduler::State::cancel(Id id) {
  for (Lane& lane : lanes) {
    lane.queue.erase_if([&](const Queued& one) { return one.id == id; });
    for (Running& one : lane.running) {
      if (one.id != id) continue;
      one.job->abandon();
      for (const Batcher::Id answer : one.job->ids()) lane.engine->batcher->cancel(answer);
    }
  }
}

// Takes what other threads have asked for. Returns false when the thread is to end.
bool Scheduler::State::take_inbox() {
  std::vector<Queued> jobs;
  std::vector<Id> ids;
  bool drains = false;
  {
    std::unique_lock lock(mutex);
    const auto is_wanted = [&] { return stops || is_draining || !submitted.empty() || !cancelled.empty(); };
    const bool is_idle = std::ranges::all_of(lanes, &Lane::is_idle);
    if (is_idle && has_drained) changed.wait(lock, [&] { return stops || !submitted.empty(); });
    if (is_idle) changed.wait(lock, is_wanted);
    if (stops) return false;
    jobs.swap(submitted);
    ids.swap(cancelled);
    drains = is_draining;
    if (is_idle) last_pass = Clock::now();
  }
  for (Queued& job : jobs) enqueue(std::move(job));
  for (const Id id : ids) cancel(id);
  if (drains) refuse_all();
  return true;
}

void Scheduler::State::refuse_all() {
  for (Lane& lane : lanes) {
    while (!lane.queue.empty()) refuse(lane.queue.pop(), shutting_down());
  }
}

// Fills the places that are free: with the next job, or with another answer of one that has begun, whichever's owner
// has used less. Of one owner's jobs the next is the one with the fewest answers in the batcher.
void Scheduler::State::begin(size_t index) {
  Lane& lane = lanes[index];
  while (lane.in_batcher() < lane.engine->options.max_running) {
    const auto rank = [&](const Running& one) {
      return std::pair(lane.queue.used(one.job->job().owner), one.job->in_batcher());
    };
    Running* begun = nullptr;
    for (Running& one : lane.running) {
      if (one.job->has_more() && (begun == nullptr || rank(one) < rank(*begun))) begun = &one;
    }
    const bool is_new =
        !lane.queue.empty() &&
        (begun == nullptr || std::pair(lane.queue.used(lane.queue.front().job.owner), int64_t{0}) < rank(*begun));
    if (!is_new && begun == nullptr) break;
    submit_next(lane, is_new ? begin(index, lane.queue.pop()) : *begun);
  }
  if (lane.queue.empty()) return;
  const auto oldest =
      Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.queue_seconds));
  lane.queue.erase_if([&](const Queued& one) {
    if (one.since > oldest) return false;
    refuse(one, ApiError(503, "server_overloaded", "", "waited {} seconds for a place", options.queue_seconds)
                    .with_retry_after(seconds_to_wait()));
    return true;
  });
}

Running& Scheduler::State::begin(size_t index, Queued&& queued) {
  Lane& lane = lanes[index];
  const uint64_t owner = queued.job.owner;
  lane.queue.charge(owner, static_cast<double>(queued.tokens()));
  const double queue_seconds = seconds_since(queued.since);
  auto job = std::make_unique<RunningJob>(std::move(queued.job), *lane.engine->model.tokenizer, outbox);
  job->on_tokens = [this, &lane, owner](int64_t tokens) {
    drawn += tokens;
    lane.queue.charge(owner, kAnswerWeight * static_cast<double>(tokens));
  };
  job->on_end = [this, one = job.get(), queue_seconds](const AnswerEnd& end, const Completion& completion) {
    observer.on_end(one->job(), end, completion, queue_seconds);
  };
  lane.running.push_back({queued.id, std::move(job)});
  return lane.running.back();
}

void Scheduler::State::submit_next(Lane& lane, Running& running) {
  try {
    running.job->submitted(lane.engine->batcher->submit(running.job->next_request()));
  } catch (const std::exception& error) {  // Its checks are ours: this should not happen.
    for (const Batcher::Id id : running.job->ids()) lane.engine->batcher->cancel(id);
    running.job->fail(error.what());
  }
}

void Scheduler::State::pass(size_t index) {
  Lane& lane = lanes[index];
  if (lane.running.empty()) return;
  try {
    lane.engine->batcher->step();
    observer.on_pass(index, lane.engine->batcher->last_pass());
  } catch (const std::exception& error) {
    // Not one request's fault: nothing of this batch can go on.
    for (Running& one : lane.running) one.job->fail(error.what());
    lane.engine->reopen();
    lane.running.clear();
  }
  for (Running& one : lane.running) one.job->tell_if_silent();
  // Those that were abandoned end in the batcher's next step, which calls them.
  lane.running.remove_if([&](const Running& one) { return one.job->has_ended() && one.job->in_batcher() == 0; });
}

void Scheduler::State::end_drain() {
  bool is_idle = true;
  for (const Lane& lane : lanes) is_idle = is_idle && lane.is_idle();
  const std::lock_guard lock(mutex);
  if (!is_draining || has_drained) return;
  if (!is_idle && Clock::now() < drain_end) return;
  if (!is_idle) {
    for (Lane& lane : lanes) {
      for (Running& one : lane.running) {
        one.job->fail(kShuttingDown);
        for (const Batcher::Id id : one.job->ids()) lane.engine->batcher->cancel(id);
      }
    }
  }
  has_drained = true;
}

void Scheduler::State::show() {
  if (const double seconds = seconds_since(counted_from); seconds > 2) {
    if (drawn > 0) rate = std::max(1.0, static_cast<double>(drawn) / seconds);
    drawn = 0;
    counted_from = Clock::now();
  }
  const std::lock_guard lock(mutex);
  last_pass = Clock::now();
  shown.tokens_per_second = rate;
  shown.models.resize(lanes.size());
  for (size_t i = 0; i < lanes.size(); ++i) {
    const Lane& lane = lanes[i];
    const double pages =
        static_cast<double>(lane.engine->session->sequences() * Session::pages_for(lane.engine->context));
    shown.models[i] = {lane.engine->batcher->running(),
                       static_cast<int64_t>(lane.queue.size()) + lane.engine->batcher->waiting(),
                       std::max(0.0, 1 - static_cast<double>(lane.engine->session->free_pages()) / pages)};
  }
  if (has_drained) changed.notify_all();
}

void Scheduler::State::run() {
  while (take_inbox()) {
    for (size_t i = 0; i < lanes.size(); ++i) {
      begin(i);
      pass(i);
    }
    end_drain();
    show();
    if (!outbox.empty()) deliver(std::exchange(outbox, {}));
  }
}

Scheduler::Scheduler(std::vector<std::unique_ptr<Engine>> engines, const SchedulerOptions& options,
                     SchedulerObserver& observer, Deliver deliver)
    : state_(std::make_unique<State>(options, observer, std::move(deliver))) {
  for (auto& engine : engines) {
    const int64_t most = options.queue > 0 ? options.queue : 4 * engine->options.max_running;
    state_->lanes.push_back({std::move(engine), most, {}, {}});
  }
  state_->show();
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stops = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

size_t Scheduler::models() const { return state_->lanes.size(); }
const Engine& Scheduler::engine(size_t model) const { return *state_->lanes[model].engine; }

Scheduler::Id Scheduler::submit(Job job) {
  const std::lock_guard lock(state_->mutex);
  state_->submitted.push_back({++state_->last_id, std::move(job), Clock::now()});
  state_->changed.notify_all();
  return state_->last_id;
}

void Scheduler::cancel(Id id) {
  const std::lock_guard lock(state_->mutex);
  state_->cancelled.push_back(id);
  state_->changed.notify_all();
}

void Scheduler::drain(double seconds) {
  std::unique_lock lock(state_->mutex);
  state_->is_draining = true;
  state_->drain_end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  state_->changed.notify_all();
  state_->changed.wait(lock, [&] { return state_->has_drained; });
}

SchedulerState Scheduler::state() const {
  const std::lock_guard lock(state_->mutex);
  SchedulerState shown = state_->shown;
  bool runs = false;
  for (const SchedulerState::OfModel& model : shown.models) runs = runs || model.running > 0;
  shown.is_stalled = runs && seconds_since(state_->last_pass) > kStalledSeconds;
  return shown;
}

}  // namespace tinyllm
