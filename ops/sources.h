#pragma once

#include <tinyllm/tensor/graph.h>

/// Tensors that are made from nothing.
namespace tinyllm {

/// f32 tensors of one number. Like `Graph::constant`, they take their memory for as long as the program exists.
Tensor full(Graph& graph, Shape shape, float value);
Tensor zeros(Graph& graph, Shape shape);
Tensor ones(Graph& graph, Shape shape);
/// from, from + step, from + 2 step and so on, up to but without `to`: [max(0, ceil((to - from) / step))]. f32,
/// computed in double and rounded, or i32.
Tensor arange(Graph& graph, double from, double to, double step = 1, DType type = f32);

/// Where random numbers come from. Element i is a pure function of (seed, step, position of the op in its graph, i):
/// the same on any number of threads and with any instruction set. It is made from word w = i mod 4 of Philox4x32-10 at
/// counter (i / 4, op, step) (tensor/base/random.h).
struct RandomSource {
  uint64_t seed = 0;
  Tensor step = {};  ///< i32 [1]. Write another number before each run to draw other numbers.
};
/// low + (high - low) u with u = floor(w / 2^8) / 2^24, from [0, 1). Rounding to float may give `high` itself.
Tensor random_uniform(const RandomSource& source, Shape shape, float low = 0, float high = 1);
/// mean + deviation n, where n is normal with mean 0 and deviation 1. Elements 2 j and 2 j + 1 share two words v and w:
/// sqrt(-2 ln((v + 1/2) / 2^32)) times the cosine and the sine of 2 pi w / 2^32.
/// Source: Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
Tensor random_normal(const RandomSource& source, Shape shape, float mean = 0, float deviation = 1);

}  // namespace tinyllm
