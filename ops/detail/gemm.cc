#include <tinyllm/ops/detail/gemm.h>

#include <tinyllm/ops/detail/gemm_pack.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/arena.h>

// Blocking for the caches, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
// kernels/gemm.cc defines tile, panel and unit.
//
// 1. All threads together pack a block of op(B) into panels. It has at most kPacked floats (8 MB), to stay in the
//    last-level cache (32 MB on Zen 4). gemm_pack.cc does this, for floats and for packed matrices of weights.
// 2. C is cut into blocks of up to kBlockPanels panels of rows, and each block is one task. The thread that takes it
//    packs the block's rows of A into its own scratch memory, kDepth units at a time: 12 panels of 28 KB = 344 KB with
//    AVX-512. (With AMX a panel has 32 rows and 66 KB.)
// 3. The thread multiplies these rows with the columns of the block, kColumns at a time: 256 by kDepth units = 512 KB.
//    Steps 2 and 3 together fit the second-level cache (1 MB on Zen 4). One panel of A (28 KB) fits the first-level
//    cache (32 KB), and the panels of B stream through it.
//
// The constants were chosen by measuring on Zen 5. There the loop over packed data runs at 93 % of the peak of
// registers alone; the rest of the time is packing. To retune for another CPU, change kDepth (= kSumDepth of kernels.h)
// and kColumns in kernels/gemm.cc and the constants here, and compare with `bench_products`.
//
// When A has few rows, packing B would dominate, so other paths are used; `Path` lists them. On every path an element
// sums along k in the same order, kDepth terms at a time. In fp32 the bits of a row of C therefore do not depend on
// the rows computed with it: a token gives the same result in training, in a prompt and in an answer.
namespace tinyllm {
namespace {

constexpr int64_t kPacked = int64_t{1} << 21;
constexpr int64_t kPackedColumns = 4096;
// Rows of a block of C, in panels of A.
constexpr int64_t kBlockPanels = 12;
constexpr int64_t kLeastBlockPanels = 3;
// With fewer blocks than this, many threads would wait for the last one.
constexpr int64_t kEnoughBlocks = 13;
// Floats between panels. Packing writes to many panels in turn, and a distance that is a power of two would put them
// into the same few cache sets.
constexpr int64_t kPanelGap = 16;
// Path::per_thread: the most rows of A if B is [n, k], and if B is [k, n].
constexpr int64_t kPerThreadRows = 16, kPerThreadRowsAcross = 128;
// Columns that a thread packs at once: 512 KB of them, kPerThreadDepth deep.
constexpr int64_t kPerThreadColumns = 256;
constexpr int64_t kPerThreadDepth = kernels::kSumDepth;
// Tasks on this path, at least, if B has enough columns.
constexpr int64_t kPerThreadTasks = 4;
// Path::transposed: the most rows of A.
constexpr int64_t kTransposedRows = 96;

// How a product is computed.
enum class Path : uint8_t {
  unpacked,    // At most 8 rows of A: nothing is packed, B is read in place.
  per_thread,  // Few rows of A: each thread packs its own columns of B, or reads whole panels in place.
  transposed,  // Few rows of A, and both A and B contiguous along k: C^T = B A^T, with A packed for all threads.
  shared,      // Everything else, and weights that are not floats: B is packed for all threads.
};

Path choose_path(const GemmShape& s) {
  if (s.b_type.is_packed()) return Path::shared;
  if (s.precision == Precision::fp32 && !s.trans_a && s.k > 0) {
    if (s.m <= (s.trans_b ? kernels::kFewRows : kernels::kFewRowsAcross)) return Path::unpacked;
    if (s.m <= (s.trans_b ? kPerThreadRows : kPerThreadRowsAcross)) return Path::per_thread;
  }
  if (!s.trans_a && s.trans_b && s.m <= kTransposedRows && s.m < s.n) return Path::transposed;
  return Path::shared;
}

const kernels::Products& products_of(Precision precision) {
  return precision == Precision::bf16 ? kernels::kernels().bf16 : kernels::kernels().fp32;
}

// The factors as they are used: `rows` are packed by each task, `columns` for all threads. Path::transposed swaps them.
struct Sides {
  Side rows, columns;
  bool swapped;

  Sides(const GemmShape& s, const float* a, const void* b)
      : rows{a, s.m, s.trans_a ? s.m : s.k, !s.trans_a},
        columns{b, s.n, s.trans_b ? s.k : s.n, s.trans_b, s.b_type},
        swapped(choose_path(s) == Path::transposed) {
    if (swapped) std::swap(rows, columns);
  }
};

// The part of `columns` that is packed at once.
struct PackedBlock {
  int64_t columns, depth;

  PackedBlock(int64_t all_columns, int64_t k)
      : columns(std::min(all_columns, kPackedColumns)),
        depth(std::min(std::max<int64_t>(1, k),
                       std::max(kernels::kSumDepth,
                                kPacked / std::max<int64_t>(1, columns) / kernels::kSumDepth * kernels::kSumDepth))) {}
};

// How C is cut into blocks. A block has all columns, so that rows of A are packed once. If that gives too few blocks,
// they get fewer rows, and then fewer columns.
struct Blocks {
  int64_t rows, columns;
  int64_t down, across;

  Blocks(int64_t all_rows, int64_t all_columns, const kernels::Products& products) : columns(all_columns) {
    for (int64_t panels = kBlockPanels;;) {
      rows = panels * products.mr;
      down = ceil_div(all_rows, rows);
      across = ceil_div(all_columns, columns);
      if (down * across >= kEnoughBlocks || (panels <= kLeastBlockPanels && columns <= products.nr)) return;
      if (panels > kLeastBlockPanels) {
        panels /= 2;
      } else {
        columns = round_up(ceil_div(columns, 2), products.nr);
      }
    }
  }
};

// Adds the bias and applies the activation to a block of C that was just computed.
void finish(const kernels::Kernels& kernel, const GemmShape& s, int64_t rows, int64_t columns, const float* bias,
            float* c) {
  if (bias == nullptr && s.activation == Activation::none) return;
  for (int64_t i = 0; i < rows; ++i) {
    float* row = c + i * s.n;
    if (bias != nullptr) kernel.binary.add(columns, row, bias, row);
    switch (s.activation) {
      case Activation::none:
        break;
      case Activation::silu:
        kernel.silu(columns, row, row);
        break;
      case Activation::gelu:
        kernel.gelu(columns, row, row);
        break;
    }
  }
}

// Floats of scratch memory: first what is packed for all threads, then what each worker packs for itself.
struct Scratch {
  int64_t shared = 0;
  int64_t per_worker = 0;

  explicit Scratch(const GemmShape& s) {
    const kernels::Products& products = products_of(s.precision);
    if (products.multiply == nullptr) return;
    const Path path = choose_path(s);
    if (path == Path::unpacked) return;
    if (path == Path::per_thread) {
      per_worker = per_thread_panels() + ceil_div(s.m, products.mr) * products.a_panel;
    } else {
      const Sides sides(s, nullptr, nullptr);
      const PackedBlock block(sides.columns.lanes, s.k);
      shared = ceil_div(block.columns, products.nr) * panel_size(products, block.depth);
      per_worker = std::max(kBlockPanels * products.a_panel, kUnpackScratch);
    }
    shared = round_up(shared, kFloatsAligned);
    per_worker = round_up(per_worker, kFloatsAligned);
  }

  static int64_t panel_size(const kernels::Products& products, int64_t depth) {
    return products.nr * ceil_div(depth, products.per_unit) + kPanelGap;
  }
  static int64_t per_thread_panels() {
    const kernels::Products& products = kernels::kernels().fp32;
    return ceil_div(kPerThreadColumns, products.nr) * panel_size(products, kPerThreadDepth);
  }
  WorkerScratch workers(void* workspace) const { return {static_cast<float*>(workspace) + shared, per_worker}; }

  static constexpr int64_t kFloatsAligned = kAlignment / sizeof(float);
};

void multiply_unpacked(const GemmShape& s, const float* a, const Side& b, int64_t first, int64_t columns, float* c) {
  kernels::kernels().few_rows({.m = s.m,
                               .n = columns,
                               .k = s.k,
                               .x = a,
                               .w = b.at(first, 0),
                               .w_stride = b.stride,
                               .w_along_k = b.along_k,
                               .y = c + first,
                               .y_stride = s.n,
                               .accumulate = s.accumulate});
}

// Columns of a B [k, n] that fill whole panels are read in place. Others are packed into `scratch`, in the thread's own
// cache.
void multiply_per_thread(const GemmShape& s, const float* a, const Side& b, int64_t first, int64_t columns, float* c,
                         float* scratch) {
  const kernels::Products& products = kernels::kernels().fp32;
  const bool in_place = !b.along_k && columns % products.nr == 0;
  const int64_t panel = in_place ? products.nr : Scratch::panel_size(products, kPerThreadDepth);
  for (int64_t k0 = 0; k0 < s.k; k0 += kPerThreadDepth) {
    const int64_t depth = std::min(kPerThreadDepth, s.k - k0);
    const float* from = b.at(first, k0);
    if (!in_place) {
      products.pack({.lanes = columns,
                     .lanes_per_panel = products.nr,
                     .k = depth,
                     .from = from,
                     .stride = b.stride,
                     .along_k = b.along_k,
                     .panel = panel,
                     .to = scratch});
    }
    products.multiply({.m = s.m,
                       .n = columns,
                       .k = depth,
                       .a = a + k0,
                       .a_stride = s.k,
                       .a_along_k = true,
                       .b = in_place ? from : scratch,
                       .panel = panel,
                       .b_stride = in_place ? b.stride : products.nr,
                       .c = c + first,
                       .c_stride = s.n,
                       .c_transposed = false,
                       .accumulate = s.accumulate || k0 > 0,
                       .a_panels = scratch + Scratch::per_thread_panels()});
  }
}

// Path::unpacked and Path::per_thread: a task is a range of columns.
void multiply_few_rows(const GemmShape& s, const float* a, const void* b, const float* bias, float* c, void* workspace,
                       ThreadPool& pool) {
  const kernels::Kernels& kernel = kernels::kernels();
  const Side side{b, s.n, s.trans_b ? s.k : s.n, s.trans_b};
  const WorkerScratch workers = Scratch(s).workers(workspace);
  const bool is_unpacked = choose_path(s) == Path::unpacked;
  const int64_t each = std::min(kPerThreadColumns, round_up(ceil_div(s.n, kPerThreadTasks), kernel.fp32.nr));
  parallel_ranges(pool, s.n, each, [&](int64_t begin, int64_t end, int worker) {
    if (is_unpacked) {
      multiply_unpacked(s, a, side, begin, end - begin, c);
    } else {
      multiply_per_thread(s, a, side, begin, end - begin, c, workers.of(worker));
    }
    finish(kernel, s, s.m, end - begin, bias == nullptr ? nullptr : bias + begin, c + begin);
  });
}

// Path::transposed and Path::shared: a task is a block of C.
void multiply_blocks(const GemmShape& s, const float* a, const void* b, const float* bias, float* c, void* workspace,
                     ThreadPool& pool) {
  const kernels::Products& products = products_of(s.precision);
  const Sides sides(s, a, b);
  const Side& rows = sides.rows;
  const Side& columns = sides.columns;
  const PackedBlock packed_block(columns.lanes, s.k);
  const WorkerScratch workers = Scratch(s).workers(workspace);
  auto* packed = static_cast<float*>(workspace);

  for (int64_t j0 = 0; j0 < columns.lanes; j0 += packed_block.columns) {
    const int64_t width = std::min(packed_block.columns, columns.lanes - j0);
    for (int64_t k0 = 0; k0 < std::max<int64_t>(s.k, 1); k0 += packed_block.depth) {
      const int64_t depth = std::min(packed_block.depth, s.k - k0);
      const int64_t panel = Scratch::panel_size(products, depth);
      pack_columns(products, columns, {j0, width, k0, depth}, {packed, panel}, pool, workers);
      const Blocks blocks(rows.lanes, width, products);
      pool.parallel_for(blocks.down * blocks.across, [&](int64_t task, int worker) {
        const int64_t i = task % blocks.down * blocks.rows;
        const int64_t j = task / blocks.down * blocks.columns;
        const int64_t m = std::min(blocks.rows, rows.lanes - i);
        const int64_t n = std::min(blocks.columns, width - j);
        const int64_t row = sides.swapped ? j0 + j : i;
        const int64_t column = sides.swapped ? i : j0 + j;
        float* to = c + row * s.n + column;
        products.multiply({.m = m,
                           .n = n,
                           .k = depth,
                           .a = rows.at(i, k0),
                           .a_stride = rows.stride,
                           .a_along_k = rows.along_k,
                           .b = packed + j / products.nr * panel,
                           .panel = panel,
                           .b_stride = products.nr,
                           .c = to,
                           .c_stride = s.n,
                           .c_transposed = sides.swapped,
                           .accumulate = s.accumulate || k0 > 0,
                           .a_panels = workers.of(worker)});
        if (k0 + depth < s.k) return;
        finish(kernels::kernels(), s, sides.swapped ? n : m, sides.swapped ? m : n,
               bias == nullptr ? nullptr : bias + column, to);
      });
    }
  }
}

}  // namespace

size_t gemm_workspace(const GemmShape& shape, int workers) {
  int64_t most = 0;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    GemmShape s = shape;
    s.precision = precision;
    const Scratch scratch(s);
    most = std::max(most, scratch.shared + workers * scratch.per_worker);
  }
  return static_cast<size_t>(most) * sizeof(float);
}

void gemm(const GemmShape& s, const float* a, const void* b, const float* bias, float* c, void* workspace,
          ThreadPool& pool) {
  if (s.m == 0 || s.n == 0) return;
  if (products_of(s.precision).multiply == nullptr) {
    throw Error("gemm: precision {}: found {}, expected avx512 or amx kernels on a CPU with avx512bf16",
                name_of(s.precision), cpu_features());
  }
  switch (choose_path(s)) {
    case Path::unpacked:
    case Path::per_thread:
      return multiply_few_rows(s, a, b, bias, c, workspace, pool);
    case Path::transposed:
    case Path::shared:
      return multiply_blocks(s, a, b, bias, c, workspace, pool);
  }
}

}  // namespace tinyllm
