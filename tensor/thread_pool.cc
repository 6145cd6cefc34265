#include <tinyllm/tensor/thread_pool.h>

#include <tinyllm/tensor/error.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tinyllm {
namespace {

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Looks until `done` or for about a millisecond: first without pause, then giving the core to whoever else wants it.
// That is longer than a piece and than the gap between two ops of a program, so that threads stay on the cores that
// they have, and short enough that an idle pool costs nothing. The caller then sleeps.
template <class Done>
bool spin(Done done) {
  constexpr int kLooks = 200;
  constexpr int kPauses = 100;
  for (int look = 0; look < kLooks; ++look) {
    for (int i = 0; i < kPauses; ++i) {
      if (done()) return true;
      relax();
    }
    if (look > kLooks / 10) std::this_thread::yield();
  }
  return false;
}

}  // namespace

struct ThreadPool::State {
  // A region is published by raising `epoch`; a worker that has seen it takes pieces from `next` and lowers `busy`
  // when none are left. The fields of the region are written before `epoch` and read after it.
  std::atomic<uint64_t> epoch{0};
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<int> busy{0};
  int64_t pieces = 0;
  Call call = nullptr;
  void* self = nullptr;
  std::atomic<bool> failed{false};
  bool stop = false;
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> workers;

  void take_pieces() {
    for (;;) {
      const int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces || failed.load(std::memory_order_relaxed)) return;
      try {
        call(self, piece);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        failed.store(true, std::memory_order_relaxed);
      }
    }
  }

  void worker() {
    uint64_t seen = 0;
    for (;;) {
      if (!spin([&] { return epoch.load(std::memory_order_acquire) != seen; })) {
        epoch.wait(seen, std::memory_order_acquire);
      }
      ++seen;
      if (stop) return;
      take_pieces();
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) busy.notify_one();
    }
  }

  void publish() {
    epoch.fetch_add(1, std::memory_order_release);
    epoch.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 1 || threads > kMaxThreads) {
    throw Error("thread pool: {} threads asked for, expected 1 to {}", threads, kMaxThreads);
  }
  state_->workers.reserve(static_cast<size_t>(threads - 1));
  for (int i = 1; i < threads; ++i) state_->workers.emplace_back([this] { state_->worker(); });
}

ThreadPool::~ThreadPool() {
  state_->stop = true;
  state_->publish();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t pieces, Call call, void* self) {
  State& s = *state_;
  if (pieces <= 1 || s.workers.empty()) {
    for (int64_t piece = 0; piece < pieces; ++piece) call(self, piece);
    return;
  }
  s.pieces = pieces;
  s.call = call;
  s.self = self;
  s.next.store(0, std::memory_order_relaxed);
  s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_relaxed);
  s.publish();
  s.take_pieces();
  if (!spin([&] { return s.busy.load(std::memory_order_acquire) == 0; })) {
    for (int busy = s.busy.load(std::memory_order_acquire); busy != 0; busy = s.busy.load(std::memory_order_acquire)) {
      s.busy.wait(busy, std::memory_order_acquire);
    }
  }
  if (s.failed.load(std::memory_order_relaxed)) {
    s.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.error, nullptr));
  }
}

int hardware_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace tinyllm
