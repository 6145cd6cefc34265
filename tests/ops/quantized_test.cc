#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <limits>

namespace tinyllm::test {
namespace {

std::vector<float> random_floats(int64_t size, uint64_t seed, float factor = 1) {
  Random random(seed);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& x : values) x = static_cast<float>(random.normal()) * factor;
  return values;
}

std::vector<std::byte> packed(const QuantizedMatrix& matrix) {
  ThreadPool pool(2);
  std::vector<std::byte> bytes(bytes_of(matrix.type, matrix.shape));
  pack_quantized(matrix.type, matrix.shape, matrix.quants.data(), std::as_bytes(std::span(matrix.scales)).data(),
                 bytes.data(), pool);
  return bytes;
}

std::vector<float> round_trip(Type type, const Shape& shape, const std::vector<float>& w) {
  ThreadPool pool(2);
  const std::vector<std::byte> bytes = packed(quantize(type, shape, w.data(), pool));
  std::vector<float> back(w.size());
  for (int64_t i = 0; i < shape[0]; ++i) dequantize_row(type, shape, bytes.data(), i, back.data() + i * shape[1]);
  return back;
}

float greatest(const float* block) {
  float most = 0;
  for (int i = 0; i < 32; ++i) most = std::max(most, std::abs(block[i]));
  return most;
}

std::vector<float> product(const std::vector<float>& x, int64_t rows, const QuantizedMatrix& w) {
  Graph graph;
  Store store;
  const Tensor y = linear(graph.input("x", f32, {rows, w.shape[1]}), graph.parameter("w", w.type, w.shape));
  Program program = compile(graph, {y}, {.pool = ThreadPool(2), .store = &store});
  program.write("x", x);
  const std::vector<std::byte> bytes = packed(w);
  std::copy(bytes.begin(), bytes.end(), store.at("w").data);
  program.run();
  const auto values = program.read<float>(y);
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("q8_0 keeps a number to half a step of its block, and q4_0 to a step") {
  const Shape shape = {70, 96};
  for (const float factor : {1.0f, 1e-3f, 30.0f}) {
    const std::vector<float> w = random_floats(shape.size(), 1, factor);
    const std::vector<float> q8 = round_trip(q8_0, shape, w);
    const std::vector<float> q4 = round_trip(q4_0, shape, w);
    for (size_t i = 0; i < w.size(); ++i) {
      const float most = greatest(w.data() + i / 32 * 32);
      // The scale is rounded to 2^-11 of itself, or to half a step of the subnormal numbers; 127 steps of it.
      const float scale_error = std::max(most * 0x1p-11f, 127 * 0x1p-25f);
      CHECK(std::abs(q8[i] - w[i]) <= most / 127 / 2 * 1.001f + scale_error);
      CHECK(std::abs(q4[i] - w[i]) <= most / 6);
    }
  }
}

TEST_CASE("blocks that are all zeros, or of one number, or end the range, are kept") {
  std::vector<float> w(96, 0.0f);
  std::fill_n(w.begin() + 32, 32, -0.25f);
  w[64] = 127;
  w[65] = -127;
  w[66] = 1;
  CHECK(round_trip(q8_0, {1, 96}, w)[0] == 0);
  CHECK(round_trip(q8_0, {1, 96}, w)[40] == doctest::Approx(-0.25).epsilon(1e-3));
  CHECK(round_trip(q8_0, {1, 96}, w)[64] == 127);
  CHECK(round_trip(q8_0, {1, 96}, w)[65] == -127);
  CHECK(round_trip(q8_0, {1, 96}, w)[66] == 1);
  CHECK(round_trip(q4_0, {1, 96}, w)[0] == 0);
  CHECK(round_trip(q4_0, {1, 96}, w)[40] == doctest::Approx(-0.25).epsilon(1e-3));
}

TEST_CASE("q4_0 errs less in the square than the plain scale would") {
  const Shape shape = {64, 128};
  const std::vector<float> w = random_floats(shape.size(), 2);
  const std::vector<float> back = round_trip(q4_0, shape, w);
  double found = 0, plain = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const float d = greatest(w.data() + i / 32 * 32) / 7;
    found += std::pow(back[i] - w[i], 2);
    plain += std::pow(std::nearbyint(w[i] / d) * d - w[i], 2);
  }
  CHECK(found < 0.9 * plain);
}

TEST_CASE("a product with quantised weights is near that of the numbers they stand for") {
  constexpr int64_t kRows = 9, kN = 40, kK = 256;
  const std::vector<float> x = random_floats(kRows * kK, 3);
  const std::vector<float> w = random_floats(kN * kK, 4);
  for (const Type type : {q8_0, q4_0}) {
    ThreadPool pool(1);
    const std::vector<float> exact = round_trip(type, {kN, kK}, w);
    const std::vector<float> y = product(x, kRows, quantize(type, {kN, kK}, w.data(), pool));
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t j = 0; j < kN; ++j) {
        double total = 0, allowed = 1e-5;
        for (int64_t k = 0; k < kK; ++k) {
          const auto weight = static_cast<double>(exact[static_cast<size_t>(j * kK + k)]);
          total += weight * static_cast<double>(x[static_cast<size_t>(i * kK + k)]);
          // Half a step of each number of x.
          allowed +=
              std::abs(weight) * static_cast<double>(greatest(x.data() + i * kK + k / 32 * 32)) / 127 / 2 * 1.001;
        }
        CHECK(std::abs(static_cast<double>(y[static_cast<size_t>(i * kN + j)]) - total) <= allowed);
      }
    }
  }
}

TEST_CASE("bf16 is the nearest number of 8 bits of mantissa, the even one of two as near") {
  std::vector<float> w(32, 0.0f);
  w[0] = 1 + 0x1p-8f;      // Half way from 1 up: 1 is even.
  w[1] = 1 + 0x1.8p-7f;    // Half way from 1 + 2^-7 up: 1 + 2^-6 is even.
  w[2] = -1 - 0x1.02p-8f;  // A little more than half way.
  w[3] = 0x1p-130f;
  w[4] = std::numeric_limits<float>::max();
  const std::vector<float> back = round_trip(packed_bf16, {1, 32}, w);
  CHECK(back[0] == 1);
  CHECK(back[1] == 1 + 0x1p-6f);
  CHECK(back[2] == -1 - 0x1p-7f);
  CHECK(back[3] == 0x1p-130f);
  CHECK(back[4] == 0x1.FEp127f);  // The greatest there is.
}

TEST_CASE("a product with weights in bfloat16 is that of the rounded numbers") {
  constexpr int64_t kN = 75, kK = 160;
  for (const int64_t rows : {1, 2, 5, 12, 13, 30}) {
    ThreadPool pool(1);
    const std::vector<float> x = random_floats(rows * kK, 7);
    const std::vector<float> w = random_floats(kN * kK, 8);
    const std::vector<float> rounded = round_trip(packed_bf16, {kN, kK}, w);
    const std::vector<float> y = product(x, rows, quantize(packed_bf16, {kN, kK}, w.data(), pool));
    double worst = 0;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < kN; ++j) {
        double total = 0, size = 0;
        for (int64_t k = 0; k < kK; ++k) {
          const double term = static_cast<double>(rounded[static_cast<size_t>(j * kK + k)]) *
                              static_cast<double>(x[static_cast<size_t>(i * kK + k)]);
          total += term;
          size += std::abs(term);
        }
        // A sum of K products in float errs by at most K units of 2^-24 of what their sizes add up to.
        const double error = std::abs(static_cast<double>(y[static_cast<size_t>(i * kN + j)]) - total);
        worst = std::max(worst, error / (static_cast<double>(kK + 1) * 0x1p-24 * size));
      }
    }
    CHECK(worst <= 1);
  }
}

TEST_CASE("a row of a product with quantised weights does not depend on the rows beside it") {
  constexpr int64_t kN = 75, kK = 160;
  const std::vector<float> x = random_floats(23 * kK, 5);
  const std::vector<float> w = random_floats(kN * kK, 6);
  for (const Type type : kPackedTypes) {
    ThreadPool pool(1);
    const QuantizedMatrix matrix = quantize(type, {kN, kK}, w.data(), pool);
    const std::vector<float> all = product(x, 23, matrix);
    for (int64_t i = 0; i < 23; ++i) {
      const std::vector<float> row(x.begin() + i * kK, x.begin() + (i + 1) * kK);
      const std::vector<float> expected(all.begin() + i * kN, all.begin() + (i + 1) * kN);
      CHECK(product(row, 1, matrix) == expected);
    }
  }
}

TEST_CASE("the greatest products of INT8 do not overflow on the way") {
  constexpr int64_t kK = 64;
  const std::vector<float> x(kK, -3.0f);
  for (const float sign : {1.0f, -1.0f}) {
    ThreadPool pool(1);
    const std::vector<float> w(32 * kK, 5 * sign);
    for (const Type type : {q8_0, q4_0}) {
      const std::vector<float> y = product(x, 1, quantize(type, {32, kK}, w.data(), pool));
      for (const float value : y) CHECK(value == doctest::Approx(double(-15 * kK * sign)).epsilon(1e-3));
    }
  }
}

TEST_CASE("an exact product has the bits of one with the floats that the weights stand for, forward and backward") {
  constexpr int64_t kRows = 130, kN = 75, kK = 544;  // Several blocks of sums along k.
  const std::vector<float> x = random_floats(kRows * kK, 9), w = random_floats(kN * kK, 10);
  for (const Type type : kPackedTypes) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      if (!is_supported(precision)) continue;
      ThreadPool pool(1);
      const QuantizedMatrix matrix = quantize(type, {kN, kK}, w.data(), pool);
      const auto results = [&](Type stored, const std::byte* weights, size_t bytes) {
        Graph graph;
        Store store;
        const Tensor in = graph.input("x", f32, {kRows, kK});
        const Tensor y = linear(in, graph.parameter("w", stored, {kN, kK}), {}, Activation::none, PackedInput::exact);
        const Tensor dx = gradients(sum(mul(y, y)), {in})[0];
        Program program = compile(graph, {y, dx}, {.pool = ThreadPool(2), .store = &store, .precision = precision});
        program.write("x", x);
        std::copy_n(weights, bytes, store.at("w").data);
        program.run();
        std::vector<float> all;
        for (const Tensor& result : {y, dx}) {
          const auto values = program.read<float>(result);
          all.insert(all.end(), values.begin(), values.end());
        }
        return all;
      };
      const std::vector<std::byte> bytes = packed(matrix);
      const std::vector<float> floats = round_trip(type, {kN, kK}, w);
      CHECK(results(type, bytes.data(), bytes.size()) ==
            results(f32, std::as_bytes(std::span(floats)).data(), floats.size() * sizeof(float)));
    }
  }
}

TEST_CASE("the gradient of a product of rows in INT8 is that of the exact one, and the weights have none") {
  constexpr int64_t kRows = 5, kN = 40, kK = 64;
  for (const Type type : kPackedTypes) {
    Graph graph;
    Store store;
    const Tensor x = graph.input("x", f32, {kRows, kK}), dy = graph.input("dy", f32, {kRows, kN});
    const Tensor w = graph.parameter("w", type, {kN, kK}), bias = graph.parameter("bias", f32, {kN});
    std::vector<Tensor> grads;
    for (const PackedInput input : {PackedInput::quantized, PackedInput::exact}) {
      const Tensor loss = sum(mul(linear(x, w, bias, Activation::none, input), dy));
      for (const Tensor& grad : gradients(loss, {x, bias})) grads.push_back(grad);
    }
    Program program = compile(graph, grads, {.pool = ThreadPool(2), .store = &store});
    ThreadPool pool(1);
    const std::vector<float> numbers = random_floats(kN * kK, 12);
    std::ranges::copy(packed(quantize(type, {kN, kK}, numbers.data(), pool)), store.at("w").data);
    program.write("x", random_floats(kRows * kK, 13));
    program.write("dy", random_floats(kRows * kN, 14));
    program.run();
    for (size_t i = 0; i < 2; ++i) {
      const auto found = program.read<float>(grads[i]), expected = program.read<float>(grads[i + 2]);
      CHECK(std::ranges::equal(found, expected));
    }
    const Tensor loss = sum(linear(x, w));
    CHECK_THROWS_WITH_AS(gradients(loss, {w}),
                         fmt::format("gradients: with respect to w [40,64]: is {}, expected f32", type.str()).c_str(),
                         Error);
  }
}

TEST_CASE("what cannot be quantised is named") {
  ThreadPool pool(2);
  std::vector<float> w(64, 1.0f);
  CHECK_THROWS_WITH_AS(quantize(q8_0, {2, 48}, w.data(), pool), "q8_0 [2,48]: expected [N, K], K a multiple of 32",
                       Error);
  CHECK_THROWS_WITH_AS(quantize(packed_bf16, {2, 48}, w.data(), pool),
                       "bf16 [2,48]: expected [N, K], K a multiple of 32", Error);
  w[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(quantize(q4_0, {2, 32}, w.data(), pool), "a weight is nan: expected a number to quantise",
                       Error);
  w[3] = 0;
  QuantizedMatrix matrix = quantize(q8_0, {2, 32}, w.data(), pool);
  matrix.scales[1] = {0x7C00};
  CHECK_THROWS_WITH_AS(packed(matrix), "the scale of block 1 is not finite", Error);
}

}  // namespace tinyllm::test
