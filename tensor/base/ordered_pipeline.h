#pragma once

#include <tinyllm/tensor/base/error.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace tinyllm {

/// Reads pieces one after the other, works on several at once, and takes the results in the order of reading: calls
/// `take(work(*next()))` for every piece until `next()` returns none. `next` and `take` are never called from two
/// threads at once; `work` is. At most `2 * threads` pieces are read ahead of the last one taken, which bounds the
/// memory. An exception of any of the three stops the others and is thrown again here.
template <class Next, class Work, class Take>
void ordered_pipeline(int threads, Next next, Work work, Take take) {
  using Result = std::invoke_result_t<Work, typename std::invoke_result_t<Next>::value_type>;
  std::mutex reading;
  std::mutex mutex;  // Guards the fields below.
  std::condition_variable moved;
  std::map<int64_t, Result> done;
  int64_t taken = 0;
  bool taking = false;
  bool stop = false;
  std::exception_ptr error;
  int64_t read = 0;  // Under `reading`.

  const auto take_ready = [&](std::unique_lock<std::mutex>& lock) {
    if (taking) return;  // The thread that is taking finds this one too.
    taking = true;
    while (!stop && !done.empty() && done.begin()->first == taken) {
      auto node = done.extract(done.begin());
      lock.unlock();
      take(std::move(node.mapped()));
      lock.lock();
      ++taken;
      moved.notify_all();
    }
    taking = false;
  };
  const auto worker = [&] {
    try {
      for (;;) {
        std::unique_lock read_lock(reading);
        {
          std::unique_lock lock(mutex);
          moved.wait(lock, [&] { return stop || read < taken + 2 * threads; });
          if (stop) return;
        }
        auto piece = next();
        if (!piece) return;
        const int64_t index = read++;
        read_lock.unlock();
        Result result = work(*std::move(piece));
        std::unique_lock lock(mutex);
        done.emplace(index, std::move(result));
        take_ready(lock);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      stop = true;
      moved.notify_all();
    }
  };
  std::vector<std::jthread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(worker);
  worker();
  workers.clear();
  if (error) std::rethrow_exception(error);
}

}  // namespace tinyllm
