#pragma once

#include <tinyllm/runtime/request.h>

#include <memory>

namespace tinyllm {

struct BatcherOptions {
  int64_t max_running = 256;   ///< Requests that are answered at a time.
  bool keeps_prefixes = true;  ///< Keep the cache of ended requests for later prompts that begin alike.
  /// While somebody receives an answer, prompts are read in pieces of such a size that a pass takes about so long, but
  /// of at least 64 tokens. 0: as many tokens as a pass may have.
  double pass_seconds = 0;
};

/// What the last pass did.
struct BatcherPass {
  int64_t tokens = 0;
  int64_t sequences = 0;
  double seconds = 0;
};

/// Answers requests together: each pass of the model advances all that are running, and a request may join or leave
/// between any two passes. A request is admitted, in the order of submission, once the cache has room for its prompt
/// and its longest answer; until then it waits. Prompts that begin alike are computed once.
///
/// A completion depends on its own request alone, to the bit: not on its neighbours, on cancellations, on kept prefixes
/// or on the number of threads.
///
/// `submit` and `cancel` may be called by any thread, also from callbacks. `step` must be called by one thread at a
/// time, which has the session for itself and runs all callbacks.
class Batcher {
 public:
  /// `session` must outlive the batcher. A batcher that is destroyed drops its requests without calling them.
  explicit Batcher(Session& session, const BatcherOptions& options = {});
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  using Id = uint64_t;
  /// Queues a request. Throws Error on an empty prompt, on one that leaves no room in the context, and on invalid
  /// options.
  Id submit(Request request);
  /// Ends a request at the next step. Has no effect on one that has ended.
  void cancel(Id id);
  /// Admits, computes one pass, and advances every running request. A request that fails ends with
  /// `FinishReason::failed`; the others are not affected. Returns false when no request is left.
  bool step();

  /// For the thread that steps: requests that are answered, those that wait to be admitted, and the last pass.
  int64_t running() const;
  int64_t waiting() const;
  const BatcherPass& last_pass() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
