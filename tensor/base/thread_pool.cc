#include <tinyllm/tensor/base/thread_pool.h>

#include <tinyllm/tensor/base/cpu_limit.h>
#include <tinyllm/tensor/base/error.h>

#include <pthread.h>

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

// Checks `done` for about a millisecond: at first without pause, then yielding the core between checks. This is longer
// than a piece and than the gap between two ops of a program, so threads keep their cores, and short enough that an
// idle pool costs nothing. The caller then sleeps.
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

// The number of forks since the library was loaded. A forked child has the memory of its parent but none of its
// threads.
std::atomic<int> forks{0};

int count_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  return registered == 0 ? forks.load() : 0;
}

}  // namespace

struct ThreadPool::State {
  // `epoch` is odd while a region is open. A worker that sees it open adds itself to `inside`, checks again, and takes
  // pieces from `next`. When no pieces are left, the caller closes the region and waits for the workers inside. It does
  // not wait for a worker that has no core: that worker comes too late and finds the region closed. The fields of a
  // region are written while it is closed and no worker is inside. Either the worker's second check sees the region
  // closed, or the caller sees the worker: both orders are sequentially consistent.
  std::atomic<uint64_t> epoch{0};
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<int> inside{0};
  int64_t pieces = 0;
  Call call = nullptr;
  void* self = nullptr;
  std::atomic<bool> failed{false};
  std::atomic<bool> stop{false};
  const int made_after_forks = count_forks();
  std::mutex turn;  // Held by the thread whose region is open.
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> workers;

  void take_pieces(int worker) {
    for (;;) {
      const int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces || failed.load(std::memory_order_relaxed)) return;
      try {
        call(self, piece, worker);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        failed.store(true, std::memory_order_relaxed);
      }
    }
  }

  bool is_in_child() const { return forks.load(std::memory_order_relaxed) != made_after_forks; }

  static bool is_open(uint64_t epoch) { return epoch % 2 == 1; }

  void work(int worker) {
    uint64_t seen = 0;
    for (;;) {
      if (!spin([&] { return epoch.load() != seen; })) epoch.wait(seen);
      seen = epoch.load();
      if (!is_open(seen)) continue;
      if (stop) return;
      inside.fetch_add(1);
      if (is_open(epoch.load())) take_pieces(worker);
      if (inside.fetch_sub(1) == 1) inside.notify_one();
    }
  }

  // Joins the workers and deletes the state. In a forked child they cannot be joined, and may have been inside of
  // anything, so the memory is kept.
  void end() {
    if (is_in_child()) return;
    stop = true;
    open();
    for (std::thread& worker : workers) worker.join();
    delete this;
  }

  void open() {
    epoch.fetch_add(1);
    epoch.notify_all();
  }

  void close() {
    epoch.fetch_add(1);
    if (spin([&] { return inside.load() == 0; })) return;
    for (int count = inside.load(); count != 0; count = inside.load()) inside.wait(count);
  }
};

ThreadPool::ThreadPool(int threads) : state_(new State, [](State* state) { state->end(); }) {
  if (threads < 1 || threads > kMaxThreads) {
    throw Error("thread pool: {} threads asked for, expected 1 to {}", threads, kMaxThreads);
  }
  State& state = *state_;
  state.workers.reserve(static_cast<size_t>(threads - 1));
  for (int i = 1; i < threads; ++i) state.workers.emplace_back([&state, i] { state.work(i); });
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t pieces, Call call, void* self) {
  State& s = *state_;
  if (pieces <= 1 || s.workers.empty() || s.is_in_child()) {
    for (int64_t piece = 0; piece < pieces; ++piece) call(self, piece, 0);
    return;
  }
  const std::lock_guard lock(s.turn);
  s.pieces = pieces;
  s.call = call;
  s.self = self;
  s.next.store(0, std::memory_order_relaxed);
  s.open();
  s.take_pieces(0);
  s.close();
  if (s.failed.load(std::memory_order_relaxed)) {
    s.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(s.error, nullptr));
  }
}

ThreadPool given_or_new(const std::optional<ThreadPool>& pool) { return pool ? *pool : ThreadPool(hardware_threads()); }

int usable_threads(const std::filesystem::path& root) {
  return std::min({affinity_cpus(), cgroup_cpus(root).value_or(ThreadPool::kMaxThreads), ThreadPool::kMaxThreads});
}

int hardware_threads() {
  static const int threads = usable_threads("/");
  return threads;
}

}  // namespace tinyllm
