#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tinyllm {

/// Threads that parse and tokenise requests, so that neither the server's thread nor the scheduler's has to.
class FrontPool {
 public:
  FrontPool(int threads, size_t most_waiting) : most_waiting_(most_waiting) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~FrontPool() {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
      tasks_.clear();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  FrontPool(const FrontPool&) = delete;
  FrontPool& operator=(const FrontPool&) = delete;

  /// Returns false when too many tasks wait. A task must not throw.
  bool add(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.size() >= most_waiting_) return false;
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stops_ || !tasks_.empty(); });
      if (stops_) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tinyllm
