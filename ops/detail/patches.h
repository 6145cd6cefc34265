#pragma once

#include <tinyllm/ops/detail/gemm_pack.h>

#include <array>

// A convolution as a product of matrices. The patches of an image [C, H, W] are a matrix [C KH KW, OH OW]: row
// (c, i, j) and column (y, x) is the number of channel c that tap (i, j) of the kernel sees when the output is at (y,
// x), or 0 outside the image. With the weights as a matrix [O, C KH KW],
//   y = w patches(x),  dw = dy patches(x)^T,  dx = the transpose of `patches` applied to w^T dy.
// The matrix of patches is not stored. Parts of it are written into the panels of a product while they are in the
// first-level cache. Source: Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for Document
// Processing", 2006, for the matrix.
namespace tinyllm {

/// The patches of an image. Of each pair the first number is vertical.
struct Patches {
  int64_t channels;
  std::array<int64_t, 2> image, kernel, output;
  std::array<int64_t, 2> stride, padding, dilation;

  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t rows() const { return channels * taps(); }
  int64_t columns() const { return output[0] * output[1]; }
  int64_t pixels() const { return image[0] * image[1]; }
  /// Whether the matrix of patches is the image itself.
  bool is_image() const {
    return taps() == 1 && stride == std::array<int64_t, 2>{1, 1} && padding == std::array<int64_t, 2>{0, 0};
  }
};

/// Adds columns [first, first + count) of a row of a matrix of the patches' shape to the pixels that the patches see:
/// the transpose of taking patches. What is outside the image is dropped.
void add_patches(const Patches& patches, int64_t row, int64_t first, int64_t count, const float* from, float* image);

/// Rows [row, row + rows) and columns [column, column + columns) of the patches.
struct PatchBlock {
  int64_t row, rows, column, columns;
};
/// Packs a block as B of a product: steps along k are rows of the patches, or columns if `transposed`. `scratch` has
/// kUnpackScratch floats.
void pack_patches(const kernels::Products& products, const Patches& patches, const float* image,
                  const PatchBlock& block, bool transposed, const Panels& panels, float* scratch);

}  // namespace tinyllm
