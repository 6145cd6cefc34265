#include <tinyllm/ops/detail/strided_copy.h>

#include <tinyllm/ops/detail/parallel.h>

#include <array>
#include <cstring>

namespace tinyllm {
namespace {

void copy_row(int64_t n, const uint32_t* from, int64_t step, uint32_t* to) {
  if (step == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(uint32_t));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
  }
}

// Row by row of the output.
void copy_rows(ThreadPool& pool, const Shape& shape, const Strides& strides, const uint32_t* source, uint32_t* target) {
  const int inner = shape.rank() - 1;
  const int64_t row = shape.row();
  parallel_ranges(pool, shape.rows(), row_grain(row), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r;
      int64_t offset = 0;
      for (int i = inner - 1; i >= 0; --i) {
        offset += rest % shape[i] * strides[i];
        rest /= shape[i];
      }
      copy_row(row, source + offset, strides[inner], target + r * row);
    }
  });
}

constexpr int64_t kTile = 16;  // Elements of a cache line.

// to[i * line + j] = from[i + j * step] for i < n and j < m, both at most kTile. Each cache line is read and written as
// a whole, once: lines that are a power of two apart drive each other out of the L1 cache.
void transpose_tile(int64_t n, int64_t m, const uint32_t* from, int64_t step, uint32_t* to, int64_t line) {
  std::array<std::array<uint32_t, kTile>, kTile> tile;
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t i = 0; i < n; ++i) tile[static_cast<size_t>(i)][static_cast<size_t>(j)] = from[i + j * step];
  }
  for (int64_t i = 0; i < n; ++i) copy_row(m, tile[static_cast<size_t>(i)].data(), 1, to + i * line);
}

// The input is contiguous along `axis`, and the output along its innermost axis.
void copy_tiles(ThreadPool& pool, const Shape& shape, const Strides& strides, int axis, const uint32_t* source,
                uint32_t* target) {
  const int inner = shape.rank() - 1;
  const int64_t n = shape[axis], row = shape.row(), step = strides[inner];
  const int64_t line = shape.size(axis + 1, shape.rank());  // From one element along `axis` to the next, in the output.
  const int64_t tiles = ceil_div(n, kTile), matrices = shape.size() / (n * row);
  parallel_ranges(pool, matrices * tiles, row_grain(kTile * row), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % tiles * kTile, count = std::min(kTile, n - first);
      const uint32_t* from = source + first;
      uint32_t* to = target + first * line;
      int64_t rest = task / tiles;
      for (int i = inner - 1; i >= 0; --i) {
        if (i == axis) continue;
        from += rest % shape[i] * strides[i];
        to += rest % shape[i] * shape.size(i + 1, shape.rank());
        rest /= shape[i];
      }
      for (int64_t j = 0; j < row; j += kTile) {
        transpose_tile(count, std::min(kTile, row - j), from + j * step, step, to + j, line);
      }
    }
  });
}

}  // namespace

void copy_strided(const Launch& launch, const Strides& strides) {
  const View& y = launch.outputs[0];
  if (y.size() == 0) return;
  const int inner = y.shape.rank() - 1;
  const auto* source = static_cast<const uint32_t*>(launch.inputs[0].data) + strides.offset;
  auto* target = static_cast<uint32_t*>(y.data);
  for (int axis = 0; axis < inner && strides[inner] != 1; ++axis) {
    if (strides[axis] == 1 && y.shape[axis] > 1) {
      return copy_tiles(*launch.pool, y.shape, strides, axis, source, target);
    }
  }
  copy_rows(*launch.pool, y.shape, strides, source, target);
}

}  // namespace tinyllm
