#include <tinyllm/model/formats/gguf/rope_factors.h>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

namespace tinyllm::test {
namespace {

// As Meta's reference code has it: by wavelength.
std::vector<double> expected(const Llama3Rope& rope, double base, int head_size) {
  std::vector<double> factors;
  for (int i = 0; i < head_size / 2; ++i) {
    const double frequency = 1 / std::pow(base, 2.0 * i / head_size), wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength < rope.original / rope.high) {
      factors.push_back(1);
    } else if (wavelength > rope.original / rope.low) {
      factors.push_back(rope.factor);
    } else {
      const double smooth = (rope.original / wavelength - rope.low) / (rope.high - rope.low);
      factors.push_back(frequency / ((1 - smooth) * frequency / rope.factor + smooth * frequency));
    }
  }
  return factors;
}

struct Case {
  Llama3Rope rope;
  double base;
  int head_size;
};
const Case kCases[] = {
    {{8, 1, 4, 8192}, 500000, 128},  // Llama 3.1
    {{32, 1, 4, 8192}, 500000, 64},  // Llama 3.2 1B
    {{8, 1, 4, 32}, 500000, 16},     // No frequency is between the ends.
    {{4, 1, 8, 64}, 10000, 16},     {{4, 2, 4, 128}, 10000, 32},
    {{16, 1, 4, 2048}, 1e6, 48},    {{2.5, 0.5, 3, 512}, 10000, 128},
};

}  // namespace

TEST_CASE("divisors follow the formula, and the scaling is found in them") {
  for (const Case& c : kCases) {
    CAPTURE(c.rope.factor);
    CAPTURE(c.head_size);
    const std::vector<float> factors = rope_factors(c.rope, c.base, c.head_size);
    const std::vector<double> reference = expected(c.rope, c.base, c.head_size);
    REQUIRE(factors.size() == reference.size());
    for (size_t i = 0; i < factors.size(); ++i) CHECK(factors[i] == doctest::Approx(reference[i]).epsilon(1e-6));
    // Two of the three numbers are free: what is found gives the same divisors, with any `original`.
    for (const double original : {c.rope.original, 8192.0}) {
      const auto found = llama3_rope(factors, c.base, original);
      REQUIRE(found);
      CHECK(found->original == original);
      const std::vector<float> again = rope_factors(*found, c.base, c.head_size);
      for (size_t i = 0; i < factors.size(); ++i) CHECK(again[i] == doctest::Approx(factors[i]).epsilon(2e-5));
    }
  }
}

TEST_CASE("the scaling of Meta's models is found as they state it") {
  const auto found = llama3_rope(rope_factors({32, 1, 4, 8192}, 500000, 64), 500000, 8192);
  REQUIRE(found);
  CHECK(found->factor == 32);
  CHECK(found->low == 1);
  CHECK(found->high == 4);
  const auto other = llama3_rope(rope_factors({8, 0.5, 6, 4096}, 500000, 128), 500000, 4096);
  REQUIRE(other);
  CHECK(other->low == doctest::Approx(0.5).epsilon(1e-4));
  CHECK(other->high == doctest::Approx(6).epsilon(1e-4));
}

TEST_CASE("other divisors are not a scaling of Llama 3") {
  CHECK(!llama3_rope({}, 10000, 8192));
  CHECK(!llama3_rope({1, 1, 1, 1}, 10000, 8192));
  CHECK(!llama3_rope({8, 4, 2, 1}, 10000, 8192));
  CHECK(!llama3_rope({1, 8, 1, 8}, 10000, 8192));
  CHECK(!llama3_rope({1, 0.5f, 8, 8}, 10000, 8192));
  CHECK(!llama3_rope({1, 8, 8, std::nanf("")}, 10000, 8192));
  CHECK(!llama3_rope({1, 8, 8, 8}, 1, 8192));
}

}  // namespace tinyllm::test
