#pragma once

#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <cmath>

// What `dropout`, `silu`, `gelu` and `attention` share: which elements are dropped.
namespace tinyllm {

/// Fixed when the node is built; the step comes from a tensor when it runs.
struct MaskParams {
  float p = 0;
  uint64_t seed = 0;
  uint32_t op = 0;  ///< The position of the node in its graph: every dropout of a graph has its own mask.
};

/// Throws Error on a probability outside [0, 1) or a step that is not i32 [1].
inline MaskParams mask_params(const char* op, const Graph& graph, const Dropout& dropout) {
  if (!(dropout.p >= 0 && dropout.p < 1)) throw Error("{}: dropout {}, expected 0 <= p < 1", op, dropout.p);
  check_i32(op, {dropout.step});
  check_shape(op, dropout.step, {1});
  return {dropout.p, dropout.seed, static_cast<uint32_t>(graph.nodes().size())};
}

inline bool drops(const Dropout& dropout) { return dropout.step && dropout.p != 0; }

inline kernels::DropoutMask mask_at(const MaskParams& params, int32_t step) {
  // p rounded to 16 bits. The scale of kept elements uses the rounded p, so that the mean is exact.
  const uint32_t threshold = std::min(65535u, static_cast<uint32_t>(std::lround(params.p * 65536.0f)));
  return {{static_cast<uint32_t>(params.seed), static_cast<uint32_t>(params.seed >> 32)},
          params.op,
          static_cast<uint32_t>(step),
          threshold << 16,
          65536.0f / static_cast<float>(65536 - threshold)};
}

}  // namespace tinyllm
