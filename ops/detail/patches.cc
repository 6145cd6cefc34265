#include <tinyllm/ops/detail/patches.h>

#include <algorithm>

namespace tinyllm {
namespace {

kernels::PatchRow patch_row(const Patches& p, int64_t row, int64_t first, int64_t count) {
  const int64_t i = row % p.taps() / p.kernel[1];
  const int64_t j = row % p.kernel[1];
  const int64_t left = j * p.dilation[1] - p.padding[1];
  const int64_t seen = ceil_div(std::max<int64_t>(0, p.image[1] - left), p.stride[1]);
  const int64_t low = ceil_div(std::max<int64_t>(0, -left), p.stride[1]);
  return {.first = first,
          .count = count,
          .width = p.output[1],
          .low = std::min(low, p.output[1]),
          .high = std::clamp(seen, std::min(low, p.output[1]), p.output[1]),
          .rows = p.image[0],
          .row_size = p.image[1],
          .top = i * p.dilation[0] - p.padding[0],
          .row_stride = p.stride[0],
          .left = left,
          .stride = p.stride[1]};
}

}  // namespace

void add_patches(const Patches& patches, int64_t row, int64_t first, int64_t count, const float* from, float* image) {
  kernels::kernels().add_patches(patch_row(patches, row, first, count), from,
                                 image + row / patches.taps() * patches.pixels());
}

void pack_patches(const kernels::Products& products, const Patches& patches, const float* image,
                  const PatchBlock& block, bool transposed, const Panels& panels, float* scratch) {
  // What fits the scratch memory: of whole panels, and of whole units along k.
  const int64_t columns = transposed ? kUnpackScratch / products.nr : std::min(block.columns, kUnpackScratch / 2);
  const int64_t rows = transposed ? products.nr : kUnpackScratch / columns / products.per_unit * products.per_unit;
  for (int64_t c = 0; c < block.columns; c += columns) {
    const int64_t width = std::min(columns, block.columns - c);
    for (int64_t r = 0; r < block.rows; r += rows) {
      const int64_t height = std::min(rows, block.rows - r);
      for (int64_t i = 0; i < height; ++i) {
        const int64_t row = block.row + r + i;
        kernels::kernels().copy_patches(patch_row(patches, row, block.column + c, width),
                                        image + row / patches.taps() * patches.pixels(), scratch + i * width);
      }
      products.pack({.lanes = transposed ? height : width,
                     .lanes_per_panel = products.nr,
                     .k = transposed ? width : height,
                     .from = scratch,
                     .stride = width,
                     .along_k = transposed,
                     .panel = panels.panel,
                     .to = transposed ? panel_at(products, panels, r, c) : panel_at(products, panels, c, r)});
    }
  }
}

}  // namespace tinyllm
