#pragma once

#include <tinyllm/runtime/serve/engine.h>
#include <tinyllm/runtime/serve/job.h>

#include <functional>
#include <memory>
#include <vector>

namespace tinyllm {

struct SchedulerOptions {
  int64_t queue = 0;          ///< Jobs that wait, for each model; 0: 4 times as many as run.
  double queue_seconds = 60;  ///< A job that has waited for so long is refused (503).
};

/// What a scheduler is doing, for whoever asks.
struct SchedulerState {
  struct OfModel {
    int64_t running = 0;   ///< Answers.
    int64_t waiting = 0;   ///< Jobs and answers that wait.
    double cache_use = 0;  ///< Share of the cache that is in use or kept, 0 to 1.
  };
  std::vector<OfModel> models;
  double tokens_per_second = 0;  ///< Drawn by all models in the last seconds.
  bool is_stalled = false;       ///< Something runs, and no pass has ended for 30 seconds.
};

/// Hears of what the scheduler does, on its thread.
class SchedulerObserver {
 public:
  virtual ~SchedulerObserver() = default;
  virtual void on_pass(size_t model, const BatcherPass& pass) = 0;
  virtual void on_end(const Job& job, const AnswerEnd& end, const Completion& completion, double queue_seconds) = 0;
};

/// The one thread that runs the models. Jobs wait in a queue for each model, begin when a place is free, fairly by
/// owner, and are answered together. The models take turns, a pass each. The thread sleeps when there is nothing to do.
class Scheduler {
 public:
  /// Takes events to the thread of the listeners, to `tinyllm::deliver`. Called once for each pass that has some.
  using Deliver = std::function<void(std::vector<JobEvent> events)>;

  /// `observer` and what `deliver` needs must outlive the scheduler.
  Scheduler(std::vector<std::unique_ptr<Engine>> engines, const SchedulerOptions& options, SchedulerObserver& observer,
            Deliver deliver);
  /// Drops what is running without a word.
  ~Scheduler();

  /// The models, in the order in which they were given. What of them is not const belongs to the scheduler's thread.
  size_t models() const;
  const Engine& engine(size_t model) const;

  using Id = uint64_t;
  /// Queues a job. Any thread may call it, and the two below. A job that finds the queue full is refused (429), or the
  /// newest one of the owner who has most jobs in it.
  Id submit(Job job);
  /// Drops a job within one pass, wherever it is. Its listener hears of it only if it was running.
  void cancel(Id id);
  /// Refuses what waits and what comes (503), and lets what runs end for so long; then ends it as failed. Returns when
  /// nothing runs.
  void drain(double seconds);

  SchedulerState state() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
