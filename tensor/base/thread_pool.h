#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace tinyllm {

/// A persistent pool of worker threads; the calling thread is worker 0.
///
/// Work is given as a number of pieces, fixed by the caller from shapes alone. Which worker runs which piece is not
/// fixed, so a piece must depend on its index only: that is what makes results independent of the number of threads.
/// Between regions the workers look for the next one for about a millisecond, at first without pause, then giving their
/// core to whoever wants it, and then sleep: an idle pool costs nothing. A region ends when its pieces are done; it
/// does not wait for a worker that had no core and took none.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  /// Starts `threads` - 1 workers. Throws Error unless 1 <= threads <= kMaxThreads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Calls `work(piece)`, or `work(piece, worker)` where it takes both, for every piece in [0, pieces) and returns when
  /// all are done. `worker`, in [0, threads()), is the thread that runs the piece: it chooses scratch memory, and must
  /// not change results. Allocates nothing.
  /// The first exception that a piece throws is thrown again here; pieces not yet begun are then left out.
  /// Not to be called from two threads at once, nor from inside a piece.
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
  std::unique_ptr<State> state_;
};

/// The number of hardware threads that this process may use, at least 1.
int hardware_threads();

}  // namespace tinyllm
