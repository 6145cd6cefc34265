#include <tinyllm/ops/detail/gemm_pack.h>

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/patches.h>
#include <tinyllm/ops/quantized.h>

namespace tinyllm {
namespace {

// Floats that a thread packs at a time.
constexpr int64_t kPackGrain = 32768;

// A task is a number of whole panels if lanes are contiguous along k, otherwise a number of steps along k, because then
// these are contiguous.
void pack_floats(const kernels::Products& products, const Side& side, const SideRange& range, const Panels& panels,
                 ThreadPool& pool) {
  const auto pack = [&](int64_t lane, int64_t lanes, int64_t k, int64_t depth) {
    products.pack({.lanes = lanes,
                   .lanes_per_panel = products.nr,
                   .k = depth,
                   .from = side.at(range.first + lane, range.k + k),
                   .stride = side.stride,
                   .along_k = side.along_k,
                   .panel = panels.panel,
                   .to = panel_at(products, panels, lane, k)});
  };
  if (side.along_k) {
    const int64_t grain = products.nr * std::max<int64_t>(1, kPackGrain / std::max<int64_t>(1, panels.panel));
    parallel_ranges(pool, range.lanes, grain,
                    [&](int64_t begin, int64_t end) { pack(begin, end - begin, 0, range.depth); });
  } else {
    const int64_t grain = round_up(std::max<int64_t>(1, kPackGrain / range.lanes), products.per_unit);
    parallel_ranges(pool, range.depth, grain,
                    [&](int64_t begin, int64_t end) { pack(0, range.lanes, begin, end - begin); });
  }
}

// Numbers [k, k + depth) of a panel of a packed matrix, as floats [depth, kQuantPanel]. k and depth are of whole
// blocks.
void unpack(Type type, const std::byte* panel, int64_t k, int64_t depth, float* to) {
  const kernels::Kernels& kernel = kernels::kernels();
  const std::byte* from = panel + (k == 0 ? 0 : bytes_of(type, {kernels::kQuantPanel, k}));
  if (type == packed_bf16) {
    kernel.from_bf16(depth * kernels::kQuantPanel, reinterpret_cast<const BFloat16*>(from), to);
  } else {
    (type == q8_0 ? kernel.q8_0 : kernel.q4_0).unpack(depth / kernels::kQuantBlock, from, to);
  }
}

// A task is a panel of the matrix [N, K]. Its numbers become floats, kUnpackDepth of each row at a time (16 KB, which
// stay in the first-level cache), and are packed like any others. In these floats rows are contiguous: they are lanes
// if lanes are contiguous along k, otherwise steps along k.
void pack_quantized(const kernels::Products& products, const Side& side, const SideRange& range, const Panels& panels,
                    ThreadPool& pool, const WorkerScratch& scratch) {
  constexpr int64_t kRows = kernels::kQuantPanel;
  const size_t panel_bytes = bytes_of(side.type, {kRows, side.stride});
  // Of the matrix: rows [row, row + rows) and numbers [from, from + length) of each.
  const int64_t row = side.along_k ? range.first : range.k, rows = side.along_k ? range.lanes : range.depth;
  const int64_t from = side.along_k ? range.k : range.first, length = side.along_k ? range.depth : range.lanes;
  pool.parallel_for(ceil_div(rows, kRows), [&](int64_t i, int worker) {
    const auto* data = static_cast<const std::byte*>(side.data) + static_cast<size_t>(row / kRows + i) * panel_bytes;
    const int64_t rows_here = std::min(kRows, rows - i * kRows);
    float* floats = scratch.of(worker);
    for (int64_t p = 0; p < length; p += kUnpackDepth) {
      const int64_t n = std::min(kUnpackDepth, length - p);
      unpack(side.type, data, from + p, n, floats);
      products.pack(
          {.lanes = side.along_k ? rows_here : n,
           .lanes_per_panel = products.nr,
           .k = side.along_k ? n : rows_here,
           .from = floats,
           .stride = kRows,
           .along_k = !side.along_k,
           .panel = panels.panel,
           .to = side.along_k ? panel_at(products, panels, i * kRows, p) : panel_at(products, panels, p, i * kRows)});
    }
  });
}

// A task is a number of whole panels, or of steps along k.
void pack_image(const kernels::Products& products, const Side& side, const SideRange& range, const Panels& panels,
                ThreadPool& pool, const WorkerScratch& scratch) {
  const auto* image = static_cast<const float*>(side.data);
  const auto pack = [&](const PatchBlock& block, float* to, int worker) {
    pack_patches(products, *side.patches, image, block, side.along_k, {to, panels.panel}, scratch.of(worker));
  };
  if (side.along_k) {
    parallel_ranges(pool, range.lanes, products.nr, [&](int64_t begin, int64_t end, int worker) {
      pack({range.first + begin, end - begin, range.k, range.depth}, panel_at(products, panels, begin, 0), worker);
    });
  } else {
    const int64_t grain = round_up(std::max<int64_t>(1, kPackGrain / range.lanes), products.per_unit);
    parallel_ranges(pool, range.depth, grain, [&](int64_t begin, int64_t end, int worker) {
      pack({range.k + begin, end - begin, range.first, range.lanes}, panel_at(products, panels, 0, begin), worker);
    });
  }
}

}  // namespace

void check_precision(Precision precision) {
  if (products_of(precision).multiply != nullptr) return;
  throw Error("gemm: precision {}: found {}, expected avx512 or amx kernels on a CPU with avx512bf16",
              name_of(precision), cpu_features());
}

void pack_columns(const kernels::Products& products, const Side& side, const SideRange& range, const Panels& panels,
                  ThreadPool& pool, const WorkerScratch& scratch) {
  if (side.type.is_packed()) {
    pack_quantized(products, side, range, panels, pool, scratch);
  } else if (side.patches != nullptr) {
    pack_image(products, side, range, panels, pool, scratch);
  } else {
    pack_floats(products, side, range, panels, pool);
  }
}

}  // namespace tinyllm
