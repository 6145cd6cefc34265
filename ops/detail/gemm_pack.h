#pragma once

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>

// How `gemm` brings a factor of a product into the panels that its kernels read. kernels/gemm.cc defines panel and
// unit.
namespace tinyllm {

struct Patches;

constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/// The products of a precision. `multiply` is null if this CPU has none.
inline const kernels::Products& products_of(Precision precision) {
  return precision == Precision::bf16 ? kernels::kernels().bf16 : kernels::kernels().fp32;
}
/// Throws Error if this CPU has no products in the precision.
void check_precision(Precision precision);

/// One factor of a product: [lanes, k] if `along_k`, otherwise [k, lanes]. A lane is a row of A or a column of B.
struct Side {
  const void* data;
  int64_t lanes;
  int64_t stride;
  bool along_k;
  Type type = f32;                   ///< Or a packed matrix (ops/quantized.h).
  const Patches* patches = nullptr;  ///< Not null: `data` is an image, and this its patches (patches.h).

  /// An element, of floats.
  const float* at(int64_t lane, int64_t k) const {
    return static_cast<const float*>(data) + (along_k ? lane * stride + k : k * stride + lane);
  }
};

/// Lanes [first, first + lanes) of a side, and [k, k + depth) of each.
struct SideRange {
  int64_t first, lanes, k, depth;
};

/// Where packed panels go; one begins `panel` floats after the other.
struct Panels {
  float* to;
  int64_t panel;
};

/// Floats from one panel of `depth` numbers along k to the next. Packing writes to many panels in turn, and a distance
/// that is a power of two would put them into the same few cache sets: hence the gap.
inline int64_t panel_size(const kernels::Products& products, int64_t depth) {
  constexpr int64_t kPanelGap = 16;
  return products.nr * ceil_div(depth, products.per_unit) + kPanelGap;
}
/// The room in panels for lane `lane`, the first of a panel, and step `k`, the first of a unit.
inline float* panel_at(const kernels::Products& products, const Panels& panels, int64_t lane, int64_t k) {
  return panels.to + lane / products.nr * panels.panel + k / products.per_unit * products.nr;
}

/// Scratch memory of the workers of a pool, `each` floats for one.
struct WorkerScratch {
  float* first;
  int64_t each;

  float* of(int worker) const { return first + worker * each; }
};

/// Floats that `pack_columns` needs for each worker.
inline constexpr int64_t kUnpackDepth = 128;
inline constexpr int64_t kUnpackScratch = kUnpackDepth * kernels::kQuantPanel;

/// Packs a range of a side on all threads, as columns of B. In a packed matrix the range must begin at a whole panel
/// and at a whole block.
void pack_columns(const kernels::Products& products, const Side& side, const SideRange& range, const Panels& panels,
                  ThreadPool& pool, const WorkerScratch& scratch);

}  // namespace tinyllm
