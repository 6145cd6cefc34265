#include "close.h"

#include <doctest/doctest.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <functional>
#include <vector>

namespace tinyllm::test {

TEST_CASE("shapes that do not make a convolution are named while building") {
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
      {[&] { conv1d(x, w); }, "conv1d: x x [2,4,5,6] and w w [8,4,3,3]: expected x [B, C, L] and w [O, C/G, K]"},
  };
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

}  // namespace tinyllm::test
