#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <type_traits>

namespace tinyllm {

/// A handle to a persistent pool of worker threads; the calling thread is worker 0. Copies share the workers, which end
/// with the last copy. Classes that use a pool (Program, Session, Trainer) keep a copy.
///
/// Work is given as a number of pieces, fixed by the caller from shapes alone. Which worker runs which piece is not
/// fixed, so a piece must depend on its index only: this makes results independent of the number of threads.
/// Between regions the workers check for the next one for about a millisecond, at first without pause, then yielding
/// their core, and then sleep: an idle pool costs nothing. A region ends when its pieces are done; it does not wait for
/// a worker that had no core and took no piece.
///
/// Several threads may share a pool: their regions take turns, and results stay the same. In a forked child, which has
/// no workers, a pool of the parent runs all pieces on the calling thread.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  /// Starts `threads` - 1 workers. Throws Error unless 1 <= threads <= kMaxThreads.
  explicit ThreadPool(int threads);
  int threads() const;

  /// Calls `work(piece)`, or `work(piece, worker)` if it takes both, for every piece in [0, pieces) and returns when
  /// all are done. `worker`, in [0, threads()), is the thread that runs the piece: it chooses scratch memory, and must
  /// not change results. Allocates nothing. The first exception that a piece throws is thrown again here; pieces that
  /// have not begun are then skipped. Not to be called from inside a piece.
  template <class Work>
  void parallel_for(int64_t pieces, Work&& work) {
    using Plain = std::remove_reference_t<Work>;
    run(
        pieces,
        [](void* self, int64_t piece, [[maybe_unused]] int worker) {
          if constexpr (std::is_invocable_v<Plain&, int64_t, int>) {
            (*static_cast<Plain*>(self))(piece, worker);
          } else {
            (*static_cast<Plain*>(self))(piece);
          }
        },
        const_cast<void*>(static_cast<const void*>(&work)));
  }

 private:
  using Call = void (*)(void* self, int64_t piece, int worker);
  void run(int64_t pieces, Call call, void* self);

  struct State;
  std::shared_ptr<State> state_;
};

/// Threads that this process may use, from 1 to ThreadPool::kMaxThreads: no more than its CPU affinity and the quota of
/// its control groups (rounded up) allow. Determined once, at the first call.
int hardware_threads();
/// The pool that was given, or a new one of hardware_threads().
ThreadPool given_or_new(const std::optional<ThreadPool>& pool);
/// The number of hardware_threads(), determined at each call; `root` as for `cgroup_cpus`.
int usable_threads(const std::filesystem::path& root);

}  // namespace tinyllm
