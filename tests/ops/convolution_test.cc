#include "close.h"

#include <doctest/doctest.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace tinyllm::test {

TEST_CASE("shapes that do not make a convolution, a window, a norm or a loss are named while building") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 4, 5, 6});
  const Tensor w = g.parameter("w", f32, {8, 4, 3, 3});
  const Tensor flat = g.input("flat", f32, {2, 4, 5});
  struct Case {
    std::function<void()> build;
    const char* message;
  };
  const Case cases[] = {
      {[&] { conv2d(flat, w); },
       "conv2d: x flat [2,4,5] and w w [8,4,3,3]: expected x [B, C, H, W] and w [O, C/G, KH, KW]"},
      {[&] { conv2d(x, w, {}, {.groups = 2}); },
       "conv2d: x x [2,4,5,6] and w w [8,4,3,3]: 2 groups of 4 channels do not make 4 channels of 8 outputs"},
      {[&] { conv2d(x, w, {}, {.groups = 0}); },
       "conv2d: x x [2,4,5,6] and w w [8,4,3,3]: 0 groups of 4 channels do not make 4 channels of 8 outputs"},
      {[&] {
         conv2d(x, w, {}, {.stride = {1, 0}});
       },
       "conv2d: stride 0, dilation 1, padding 0: expected at least 1, 1 and 0"},
      {[&] {
         conv2d(x, w, {}, {.padding = {-1, 0}});
       },
       "conv2d: stride 1, dilation 1, padding -1: expected at least 1, 1 and 0"},
      {[&] {
         conv2d(x, w, {}, {.dilation = {3, 1}});
       },
       "conv2d: x x [2,4,5,6] and w w [8,4,3,3]: the kernel reaches over 7 pixels of 5"},
      {[&] { conv2d(x, w, flat); }, "conv2d: flat [2,4,5]: expected [8]"},
      {[&] {
         conv1d(flat, g.parameter("w1", f32, {8, 2, 3}));
       },
       "conv1d: x flat [2,4,5] and w w1 [8,2,3]: 1 groups of 2 channels do not make 4 channels of 8 outputs"},
      {[&] {
         conv1d(flat, g.parameter("wide", f32, {8, 4, 6}));
       },
       "conv1d: x flat [2,4,5] and w wide [8,4,6]: the kernel reaches over 6 pixels of 5"},
      {[&] { conv1d(x, w); }, "conv1d: x x [2,4,5,6] and w w [8,4,3,3]: expected x [B, C, L] and w [O, C/G, K]"},
  };
  const Case pools[] = {
      {[&] { max_pool2d(flat); }, "max_pool2d: x flat [2,4,5]: expected [B, C, H, W]"},
      {[&] {
         avg_pool2d(x, {{6, 2}});
       },
       "avg_pool2d: x x [2,4,5,6]: the kernel is 6 pixels, the padded image 5"},
      {[&] {
         max_pool2d(x, {{2, 2}, {1, 1}, {0, 2}});
       },
       "max_pool2d: kernel 2, stride 1, padding 2: expected at least 1, 1 and 0, and less padding than kernel"},
      {[&] { max_pool1d(flat, {6}); }, "max_pool1d: x flat [2,4,5]: the kernel is 6 pixels, the padded image 5"},
      {[&] {
         avg_pool2d(g.input("empty", f32, {1, 1, 0, 4}), {{2, 2}, {1, 1}, {1, 1}});
       },
       "avg_pool2d: x empty [1,1,0,4]: the image has no pixels, expected at least one"},
      {[&] { max_pool1d(x); }, "max_pool1d: x x [2,4,5,6]: expected [B, C, L]"},
      {[&] {
         upsample_nearest(x, {0, 1});
       },
       "upsample_nearest: x x [2,4,5,6] by 0 and 1: expected [B, C, H, W] and factors of at least 1"},
      {[&] { layer_norm(x, w, w, 0); }, "layer_norm: w [8,4,3,3]: expected [6]"},
      {[&] { group_norm(x, 3, w, w, 0); },
       "group_norm: x x [2,4,5,6] in 3 groups: expected [B, C, ...] with C a multiple of the groups"},
      {[&] { mse(x, flat); }, "mse: flat [2,4,5]: expected [2,4,5,6]"},
      {[&] { smooth_l1(x, x, 0); }, "smooth_l1: beta 0, expected more than 0"},
      {[&] { nll(x, g.input("targets", i32, {2})); },
       "nll: log_probs x [2,4,5,6] and targets targets [2]: expected [..., V] and [...]"},
      {[&] { sgd(flat, flat, x, x, x, {}); }, "sgd: x [2,4,5,6]: expected [2,4,5]"},
      {[&] { lion(flat, flat, flat, x, x, {}); }, "lion: x [2,4,5,6]: expected [1]"},
      {[&] {
         matmul(flat, g.input("three", f32, {3, 5, 2}));
       },
       "matmul: a flat [2,4,5] and b three [3,5,2]: expected [..., M, K] and [..., K, N] with leading extents that are "
       "equal or 1"},
  };
  for (const Case& c : pools) CHECK_THROWS_WITH_AS(c.build(), c.message, Error);
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(c.build(), c.message, Error);
}

TEST_CASE("convolutions in bfloat16 differ from those in float by the rounding of their factors") {
  if (!is_supported(Precision::bf16)) return;
  Graph g;
  const Conv2d options{.stride = {2, 1}, .padding = {1, 1}};
  const Tensor x = g.input("x", f32, {2, 37, 9, 11});
  const Tensor w = g.input("w", f32, {45, 37, 3, 3});
  const Tensor y = conv2d(x, w, {}, options);
  const Tensor dy = g.input("dy", f32, y.shape());
  const std::vector<Tensor> results = {y, g.append(kConv2dInputGrad, {w, dy}, {{f32, x.shape()}}, options)[0],
                                       g.append(kConv2dWeightGrad, {x, dy}, {{f32, w.shape()}}, options)[0]};
  std::vector<std::vector<double>> exact;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    Program program = compile(g, results, {.pool = ThreadPool(2), .precision = precision});
    Random random(3);
    for (const char* name : {"x", "w", "dy"}) {
      std::vector<float> values(size_t(g.find(name).shape().size()));
      for (float& v : values) v = float(random.uniform() * 2 - 1);
      program.write(name, values);
    }
    program.run();
    for (size_t i = 0; i < results.size(); ++i) {
      const auto found = program.read<float>(results[i]);
      if (precision == Precision::fp32) {
        exact.emplace_back(found.begin(), found.end());
      } else {
        // Two factors of 8 bits: each term is wrong by 2^-8 at most, and the sum by less than that of its largest size.
        check_close(results[i].str(), std::vector<float>(found.begin(), found.end()), exact[i], 0x1p-8, 1);
      }
    }
  }
}

TEST_CASE("a maximum over a window with NaN is NaN, and a window of the lowest numbers has a maximum") {
  Graph g;
  const Tensor x = g.input("x", f32, {1, 1, 2, 4});
  const Tensor y = max_pool2d(x);
  Program program = compile(g, {y}, {.pool = ThreadPool(1)});
  const float nan = std::nanf(""), low = -std::numeric_limits<float>::infinity();
  program.write("x", std::vector<float>{1, nan, low, low, 2, 3, low, low});
  program.run();
  CHECK(std::isnan(program.read<float>(y)[0]));
  CHECK(program.read<float>(y)[1] == low);
}

}  // namespace tinyllm::test
