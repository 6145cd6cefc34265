#pragma once

#include <tinyllm/runtime/serve/fair_queue.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace tinyllm {

/// Threads that parse and tokenise requests, so that neither the server's thread nor the scheduler's has to. Owners
/// share them fairly, by the cost of their tasks.
class FrontPool {
 public:
  /// Neither function may throw.
  struct Task {
    double cost;
    std::function<void()> run;
    std::function<void()> refuse;  ///< Called in place of `run` when too many wait.
  };

  FrontPool(int threads, size_t most_waiting) : most_waiting_(most_waiting) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~FrontPool() {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  FrontPool(const FrontPool&) = delete;
  FrontPool& operator=(const FrontPool&) = delete;

  /// Of too many tasks, the newest of the owner who has most is refused, on this thread.
  void add(uint64_t owner, Task task) {
    std::optional<Task> refused;
    {
      const std::lock_guard lock(mutex_);
      tasks_.push(owner, {owner, std::move(task)});
      if (tasks_.size() > most_waiting_) refused = tasks_.pop_greediest().task;
    }
    changed_.notify_one();
    if (refused) refused->refuse();
  }

 private:
  struct Waiting {
    uint64_t owner;
    Task task;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stops_ || !tasks_.empty(); });
      if (stops_) return;
      Waiting next = tasks_.pop();
      tasks_.charge(next.owner, next.task.cost);
      lock.unlock();
      next.task.run();
      next.task = {};
      lock.lock();
    }
  }

  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  FairQueue<Waiting> tasks_;
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tinyllm
