#include <tinyllm/ops/gemm.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/parallel.h>
#include <tinyllm/tensor/arena.h>

// Blocking, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008. For each block of
// kDepth along k and kColumns along n, all threads pack op(A) and op(B) into panels, then all threads compute tiles of
// C from them. The numbers suit caches of 32 KB (a panel of B: kDepth * nr floats = 16 KB), 512 KB (the tile's block of
// A: kTileRows * kDepth floats = 96 KB) and several MB (packed B: kDepth * kColumns floats = 4 MB). To retune for
// another CPU, change them and compare with `bench_kernels`.
namespace tinyllm {
namespace {

constexpr int64_t kDepth = 256;
constexpr int64_t kColumns = 4096;
constexpr int64_t kTileColumns = 256;
// Up to this many rows of A, panels do not pay: rows of A meet rows of B as they lie.
constexpr int64_t kFewRows = 8;

// About 96 rows, a multiple of the panel's.
int64_t tile_rows(int64_t mr) { return std::max<int64_t>(1, 96 / mr) * mr; }

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

bool is_direct(const GemmShape& s) { return s.m <= kFewRows && !s.trans_a && s.trans_b; }

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

void direct(const GemmShape& s, const float* a, const float* b, const float* bias, float* c, ThreadPool& pool) {
  const kernels::Kernels& kernel = kernels::kernels();
  const int64_t grain = round_up(row_grain(s.k), 4);
  parallel_ranges(pool, s.n, grain, [&](int64_t begin, int64_t end) {
    kernel.dot_rows(s.m, end - begin, s.k, a, b + begin * s.k, c + begin, s.n, s.accumulate);
    finish(kernel, s, s.m, end - begin, bias == nullptr ? nullptr : bias + begin, c + begin);
  });
}

// One matrix as lines along k: a row of op(A), or a column of op(B).
struct Lines {
  const float* data;
  int64_t count;   // Lines.
  int64_t stride;  // Between lines.
  int64_t step;    // Between elements of a line.
};

}  // namespace

size_t gemm_workspace(const GemmShape& s) {
  if (is_direct(s)) return 0;
  const kernels::Kernels& kernel = kernels::kernels();
  const int64_t depth = std::min(kDepth, s.k);
  const int64_t a = round_up(s.m, kernel.mr) * depth;
  const int64_t b = round_up(std::min(s.n, kColumns), kernel.nr) * depth;
  return aligned(static_cast<size_t>(a) * sizeof(float)) + aligned(static_cast<size_t>(b) * sizeof(float));
}

void gemm(const GemmShape& s, const float* a, const float* b, const float* bias, float* c, void* workspace,
          ThreadPool& pool) {
  if (s.m == 0 || s.n == 0) return;
  if (is_direct(s)) return direct(s, a, b, bias, c, pool);

  const kernels::Kernels& kernel = kernels::kernels();
  const Lines rows = {a, s.m, s.trans_a ? 1 : s.k, s.trans_a ? s.m : 1};
  const Lines columns = {b, s.n, s.trans_b ? s.k : 1, s.trans_b ? 1 : s.n};
  const int64_t mr = kernel.mr;
  const int64_t nr = kernel.nr;
  const int64_t a_panels = (s.m + mr - 1) / mr;
  auto* packed_a = static_cast<float*>(workspace);
  float* packed_b =
      packed_a + aligned(static_cast<size_t>(a_panels * mr * std::min(kDepth, s.k)) * sizeof(float)) / sizeof(float);
  constexpr int64_t kPanelsPerPiece = 8;
  const int64_t tile = tile_rows(mr);
  const int64_t tiles_down = (s.m + tile - 1) / tile;

  for (int64_t j0 = 0; j0 < s.n; j0 += kColumns) {
    const int64_t width = std::min(kColumns, s.n - j0);
    const int64_t b_panels = (width + nr - 1) / nr;
    for (int64_t k0 = 0; k0 < std::max<int64_t>(s.k, 1); k0 += kDepth) {
      const int64_t depth = std::min(kDepth, s.k - k0);
      const bool first = k0 == 0;
      const bool last = k0 + depth == s.k;
      const auto pack = [&](auto pack_panel, const Lines& lines, int64_t from, int64_t to, int64_t panel, int64_t size,
                            float* packed) {
        const int64_t line = from + panel * size;
        pack_panel(std::min(size, to - line), depth, lines.data + line * lines.stride + k0 * lines.step, lines.stride,
                   lines.step, packed + panel * size * depth);
      };
      parallel_ranges(pool, a_panels + b_panels, kPanelsPerPiece, [&](int64_t begin, int64_t end) {
        for (int64_t panel = begin; panel < end; ++panel) {
          if (panel < a_panels) {
            pack(kernel.pack_a, rows, 0, s.m, panel, mr, packed_a);
          } else {
            pack(kernel.pack_b, columns, j0, j0 + width, panel - a_panels, nr, packed_b);
          }
        }
      });
      const int64_t tiles_across = (width + kTileColumns - 1) / kTileColumns;
      pool.parallel_for(tiles_down * tiles_across, [&](int64_t piece) {
        const int64_t i = piece % tiles_down * tile;
        const int64_t j = piece / tiles_down * kTileColumns;
        const int64_t m = std::min(tile, s.m - i);
        const int64_t n = std::min(kTileColumns, width - j);
        float* to = c + i * s.n + j0 + j;
        kernel.gemm_block(m, n, depth, packed_a + i * depth, packed_b + j * depth, to, s.n, s.accumulate || !first);
        if (last) finish(kernel, s, m, n, bias == nullptr ? nullptr : bias + j0 + j, to);
      });
    }
  }
}

}  // namespace tinyllm
