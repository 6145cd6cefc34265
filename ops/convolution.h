#pragma once

#include <tinyllm/tensor/graph.h>

#include <array>

/// Convolutions, pooling and upsampling of images [B, C, H, W] and sequences [B, C, L]. Of each pair of numbers the
/// first is vertical.
namespace tinyllm {

struct Conv2d {
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> padding = {0, 0};   ///< Zeros on each side of the image.
  std::array<int64_t, 2> dilation = {1, 1};  ///< Pixels from one tap of the kernel to the next.
  int64_t groups = 1;  ///< Parts of the channels that do not see each other. C groups: one kernel per channel.
};
/// y[b, o, y, x] = bias[o] + sum over c, i, j of w[o, c, i, j] x[b, g C/G + c, y s - p + i d, x s - p + j d], where g
/// is the group of output channel o, s the stride, p the padding and d the dilation, and x is 0 outside the image. x
/// [B, C, H, W], w [O, C/G, KH, KW], bias [O] or empty, with C and O multiples of the groups G; y [B, O, OH, OW] with
/// OH = floor((H + 2 p - d (KH - 1) - 1) / s) + 1, and OW likewise. The kernel is not mirrored: this is what the field
/// calls a convolution. The products are computed in the precision passed to `compile`.
Tensor conv2d(Tensor x, Tensor w, Tensor bias = {}, const Conv2d& options = {});

struct Conv1d {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
};
/// The same for sequences: x [B, C, L], w [O, C/G, K], bias [O] or empty; y [B, O, OL].
Tensor conv1d(Tensor x, Tensor w, Tensor bias = {}, const Conv1d& options = {});

struct Pool2d {
  std::array<int64_t, 2> kernel = {2, 2};
  std::array<int64_t, 2> stride = {0, 0};   ///< 0: that of the kernel, so that windows do not overlap.
  std::array<int64_t, 2> padding = {0, 0};  ///< Less than the kernel.
};
/// y[b, c, y, x] = the largest of the window of `kernel` pixels that begins at (y s - p, x s - p), or their mean. Only
/// pixels inside the image count. x [B, C, H, W]; y [B, C, OH, OW] with OH = floor((H + 2 p - K) / s) + 1. The gradient
/// of a maximum goes to the first of equal pixels. A window with NaN gives NaN.
Tensor max_pool2d(Tensor x, const Pool2d& options = {});
Tensor avg_pool2d(Tensor x, const Pool2d& options = {});

struct Pool1d {
  int64_t kernel = 2;
  int64_t stride = 0;
  int64_t padding = 0;
};
/// The same for sequences [B, C, L].
Tensor max_pool1d(Tensor x, const Pool1d& options = {});
Tensor avg_pool1d(Tensor x, const Pool1d& options = {});

/// Each pixel `factor` times in each direction: y[b, c, y, x] = x[b, c, floor(y / factor_0), floor(x / factor_1)].
Tensor upsample_nearest(Tensor x, std::array<int64_t, 2> factor);
/// The same by linear interpolation in each direction: pixel y is at y' = (y + 1/2) / factor - 1/2 of x, within the
/// image, and gets (1 - w) x[floor y'] + w x[floor y' + 1] with w = y' - floor y'. This is PyTorch's bilinear mode
/// without aligned corners.
Tensor upsample_bilinear(Tensor x, std::array<int64_t, 2> factor);

}  // namespace tinyllm
