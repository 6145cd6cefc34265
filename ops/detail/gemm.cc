#include <tinyllm/ops/detail/gemm.h>

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/arena.h>

#include <vector>

// Blocking, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008:
//
// - All threads pack a stretch of op(B) into panels: at most kPacked floats, 8 MB, for the last-level cache (32 MB).
// - Then they take tiles of C, up to kTileStrips strips of rows high: a strip is as many rows as stay in registers, 14
//   with AVX-512. The thread that has a tile packs its rows of A, kDepth units of 4 bytes at a time, into memory of its
//   own: 12 strips by 28 KB = 344 KB. With AMX a strip is 32 rows, 66 KB, of which products 512 deep use half.
// - All columns of the tile pass by these rows, kColumns at a time: 256 by kDepth units = 512 KB. Both together are for
//   a core's second-level cache (1 MB), one strip (28 KB) for the first (32 KB), through which the panels of B stream.
//
// The sizes in brackets are those of Zen 4 (CPUs with AMX have 2 MB and 48 KB); the numbers were compared on Zen 5,
// whose first-level cache has 48 KB. There the loop over packed data runs at 93 % of what registers alone allow, with
// any shape of the tile in registers: what is missing below that is packing. kDepth, which is kSumDepth of
// kernels.h, and kColumns are in kernels/gemm.cc. To retune for another CPU, change them there and the numbers here,
// and compare with `bench_products`.
//
// Few rows of A go other ways, since packing B for all would be much of the work. Where both sides lie along k, they
// change places, and C is written transposed; with fewer rows, a thread packs B for itself alone. Where B's columns lie
// side by side, whole panels of them are multiplied where they are. With very few rows, nothing is packed at all. In
// all of them an element sums along k in one order, kDepth at a time: in fp32 a row of C is the same bits whatever rows
// are computed with it, be it a token in training, in a prompt or in an answer.
namespace tinyllm {
namespace {

constexpr int64_t kPacked = int64_t{1} << 21;
constexpr int64_t kPackedColumns = 4096;
constexpr int64_t kTileStrips = 12;  // Strips of rows, as many rows in each as stay in registers.
constexpr int64_t kLeastStrips = 3;
// With fewer tiles than this, many threads would wait for the last one.
constexpr int64_t kEnoughTiles = 13;
// Floats between panels, so that they do not lie a power of two apart: rows are packed into many panels at once.
constexpr int64_t kPanelGap = 16;
// In fp32, up to so many rows of A (the first where B lies along k, the second where it does not), a thread multiplies
// columns by itself: some at once, as deep as kDepth, up to 512 KB.
constexpr int64_t kAloneRows = 16, kAloneRowsAcross = 128;
constexpr int64_t kAloneColumns = 256;
constexpr int64_t kAlonePieces = 4;  // At least, where there are columns enough.
constexpr int64_t kAloneDepth = kernels::kSumDepth;
// Up to this many, A and B change places where both lie along k: the product of the transposed.
constexpr int64_t kSwappedRows = 96;

// Floats of a panel, or of several, that one thread packs at a time.
constexpr int64_t kPackGrain = 32768;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
int64_t ceil_div(int64_t n, int64_t by) { return (n + by - 1) / by; }

bool has_few_rows(const GemmShape& s) {
  return s.m <= (s.trans_b ? kAloneRows : kAloneRowsAcross) && s.k > 0 && !s.trans_a && s.precision == Precision::fp32;
}

// One side of a product: lines along k, or columns of [k, lines].
struct Side {
  const float* data;
  int64_t lines;
  int64_t stride;
  bool along_k;

  const float* at(int64_t line, int64_t k) const { return data + (along_k ? line * stride + k : k * stride + line); }
};

// The product as it is computed: what a tile packs for itself, and what is packed for all.
struct Sides {
  Side rows, columns;
  bool swapped;

  Sides(const GemmShape& s, const float* a, const float* b)
      : rows{a, s.m, s.trans_a ? s.m : s.k, !s.trans_a},
        columns{b, s.n, s.trans_b ? s.k : s.n, s.trans_b},
        swapped(s.m <= kSwappedRows && s.m < s.n && !s.trans_a && s.trans_b) {
    if (swapped) std::swap(rows, columns);
  }
};

// How far along columns and k one packed stretch goes.
struct Stretch {
  int64_t columns, depth;

  Stretch(int64_t all_columns, int64_t k)
      : columns(std::min(all_columns, kPackedColumns)),
        depth(std::min(std::max<int64_t>(1, k),
                       std::max(kernels::kSumDepth,
                                kPacked / std::max<int64_t>(1, columns) / kernels::kSumDepth * kernels::kSumDepth))) {}
};

// The extent of the tiles of C: all columns, so that rows of A are packed once; where there would be too few tiles,
// fewer rows, then fewer columns.
struct Tiles {
  int64_t rows, columns;
  int64_t down, across;

  Tiles(int64_t all_rows, int64_t all_columns, const kernels::Products& products) : columns(all_columns) {
    for (int64_t strips = kTileStrips;;) {
      rows = strips * products.mr;
      down = ceil_div(all_rows, rows);
      across = ceil_div(all_columns, columns);
      if (down * across >= kEnoughTiles || (strips <= kLeastStrips && columns <= products.nr)) return;
      if (strips > kLeastStrips) {
        strips /= 2;
      } else {
        columns = round_up(ceil_div(columns, 2), products.nr);
      }
    }
  }
};

// Bias and activation, on a tile of C that was just computed.
void finish(const kernels::Kernels& kernel, const GemmShape& s, int64_t rows, int64_t columns, const float* bias,
            float* c) {
  if (bias == nullptr && s.activation == Activation::none) return;
  for (int64_t i = 0; i < rows; ++i) {
    float* row = c + i * s.n;
    if (bias != nullptr) kernel.add(columns, row, bias, row);
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

// Packs columns of B. Pieces are whole panels where columns lie along k, else rows of all columns: a row is what lies
// together.
void pack(const kernels::Products& products, const Side& side, int64_t first, int64_t columns, int64_t k, int64_t depth,
          int64_t panel, float* packed, ThreadPool& pool) {
  const auto range = [&](int64_t j, int64_t width, int64_t p, int64_t rows) {
    products.pack({width, products.nr, rows, side.at(first + j, k + p), side.stride, side.along_k, panel,
                   packed + j / products.nr * panel + p / products.per_unit * products.nr});
  };
  if (side.along_k) {
    const int64_t grain = products.nr * std::max<int64_t>(1, kPackGrain / std::max<int64_t>(1, panel));
    parallel_ranges(pool, columns, grain, [&](int64_t begin, int64_t end) { range(begin, end - begin, 0, depth); });
  } else {
    const int64_t grain = round_up(std::max<int64_t>(1, kPackGrain / columns), products.per_unit);
    parallel_ranges(pool, depth, grain, [&](int64_t begin, int64_t end) { range(0, columns, begin, end - begin); });
  }
}

// Very few rows of A: all time goes into reading B.
void direct(const GemmShape& s, const float* a, const Side& b, int64_t first, int64_t columns, float* c) {
  kernels::kernels().few_rows(
      {s.m, columns, s.k, a, b.at(first, 0), b.stride, b.along_k, c + first, s.n, s.accumulate});
}

// A few rows of A: whole panels of B's columns where they are, if they lie side by side; else packed, while they are in
// the thread's own cache.
void alone(const GemmShape& s, const float* a, const Side& b, int64_t first, int64_t columns, float* c) {
  const kernels::Products& products = kernels::kernels().fp32;
  const bool in_place = !b.along_k && columns % products.nr == 0;
  const int64_t panel = in_place ? products.nr : products.nr * kAloneDepth + kPanelGap;
  const int64_t packed = in_place ? 0 : ceil_div(kAloneColumns, products.nr) * panel;
  thread_local std::vector<float> scratch;
  const auto needed = static_cast<size_t>(packed + ceil_div(s.m, products.mr) * products.strip);
  if (scratch.size() < needed) scratch.resize(needed);
  for (int64_t k0 = 0; k0 < s.k; k0 += kAloneDepth) {
    const int64_t depth = std::min(kAloneDepth, s.k - k0);
    const float* from = b.at(first, k0);
    if (!in_place) {
      products.pack({columns, products.nr, depth, from, b.stride, b.along_k, panel, scratch.data()});
    }
    products.multiply({s.m, columns, depth, a + k0, s.k, true, in_place ? from : scratch.data(), panel,
                       in_place ? b.stride : products.nr, c + first, s.n, false, s.accumulate || k0 > 0,
                       scratch.data() + packed});
  }
}

void few_rows(const GemmShape& s, const float* a, const float* b, const float* bias, float* c, ThreadPool& pool) {
  const kernels::Kernels& kernel = kernels::kernels();
  const Side side{b, s.n, s.trans_b ? s.k : s.n, s.trans_b};
  const int64_t each = std::min(kAloneColumns, round_up(ceil_div(s.n, kAlonePieces), kernel.fp32.nr));
  parallel_ranges(pool, s.n, each, [&](int64_t begin, int64_t end) {
    (s.m <= (s.trans_b ? kernels::kFewRows : kernels::kFewRowsAcross) ? direct : alone)(s, a, side, begin, end - begin,
                                                                                        c);
    finish(kernel, s, s.m, end - begin, bias == nullptr ? nullptr : bias + begin, c + begin);
  });
}

}  // namespace

size_t gemm_workspace(const GemmShape& s) {
  const Sides sides(s, nullptr, nullptr);
  const Stretch stretch(sides.columns.lines, s.k);
  const int64_t nr = kernels::kernels().fp32.nr;
  const int64_t packed = ceil_div(stretch.columns, nr) * (nr * stretch.depth + kPanelGap);
  return aligned(static_cast<size_t>(packed) * sizeof(float));
}

void gemm(const GemmShape& s, const float* a, const float* b, const float* bias, float* c, void* workspace,
          ThreadPool& pool) {
  if (s.m == 0 || s.n == 0) return;
  if (has_few_rows(s)) return few_rows(s, a, b, bias, c, pool);

  const kernels::Kernels& kernel = kernels::kernels();
  const kernels::Products& products = s.precision == Precision::bf16 ? kernel.bf16 : kernel.fp32;
  if (products.multiply == nullptr) {
    throw Error("gemm: precision {}: found {}, expected avx512 or amx kernels on a CPU with avx512bf16",
                name_of(s.precision), cpu_features());
  }
  const Sides sides(s, a, b);
  const Side& rows = sides.rows;
  const Side& columns = sides.columns;
  const Stretch stretch(columns.lines, s.k);
  auto* packed = static_cast<float*>(workspace);

  for (int64_t j0 = 0; j0 < columns.lines; j0 += stretch.columns) {
    const int64_t width = std::min(stretch.columns, columns.lines - j0);
    for (int64_t k0 = 0; k0 < std::max<int64_t>(s.k, 1); k0 += stretch.depth) {
      const int64_t depth = std::min(stretch.depth, s.k - k0);
      const int64_t panel = products.nr * ceil_div(depth, products.per_unit) + kPanelGap;
      pack(products, columns, j0, width, k0, depth, panel, packed, pool);
      const Tiles tiles(rows.lines, width, products);
      pool.parallel_for(tiles.down * tiles.across, [&](int64_t piece) {
        // Each thread takes this memory once, when it first computes a product.
        thread_local std::vector<float> strips;
        strips.resize(static_cast<size_t>(kTileStrips * products.strip));
        const int64_t i = piece % tiles.down * tiles.rows;
        const int64_t j = piece / tiles.down * tiles.columns;
        const int64_t m = std::min(tiles.rows, rows.lines - i);
        const int64_t n = std::min(tiles.columns, width - j);
        const int64_t row = sides.swapped ? j0 + j : i;
        const int64_t column = sides.swapped ? i : j0 + j;
        float* to = c + row * s.n + column;
        products.multiply({m, n, depth, rows.at(i, k0), rows.stride, rows.along_k, packed + j / products.nr * panel,
                           panel, products.nr, to, s.n, sides.swapped, s.accumulate || k0 > 0, strips.data()});
        if (k0 + depth < s.k) return;
        finish(kernel, s, sides.swapped ? n : m, sides.swapped ? m : n, bias == nullptr ? nullptr : bias + column, to);
      });
    }
  }
}

}  // namespace tinyllm
