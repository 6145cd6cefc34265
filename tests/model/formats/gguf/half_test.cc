#include <tinyllm/model/formats/gguf/half.h>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace tinyllm::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The nearest number with `bits` bits of mantissa and a smallest step, of two as near the even one.
double nearest(float x, int bits, int smallest) {
  int exponent = 0;
  std::frexp(static_cast<double>(x), &exponent);
  const double step = std::ldexp(1.0, std::max(exponent - bits, smallest));
  return std::nearbyint(static_cast<double>(x) / step) * step;
}

// Numbers of all sizes with every pattern of the last bits that decides how they are rounded.
template <class Check>
void for_floats(Check check) {
  for (uint32_t upper = 0; upper < 0x8000; upper += 3) {
    for (const uint32_t lower : {0x0u, 0x1u, 0xFFFu, 0x1000u, 0x1001u, 0x2000u, 0x3000u, 0x7FFFu, 0x8000u, 0x8001u}) {
      const float x = std::bit_cast<float>(upper << 16 | lower);
      if (std::isfinite(x)) check(x);
    }
  }
}

}  // namespace

TEST_CASE("every half is the float that the format describes") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    CAPTURE(bits);
    const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
    const float found = float_of_f16(static_cast<uint16_t>(bits));
    REQUIRE(std::signbit(found) == (bits >= 0x8000));
    if (exponent == 31) {
      REQUIRE((mantissa == 0 ? std::isinf(found) : std::isnan(found)));
      continue;
    }
    const double size = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    REQUIRE(std::abs(static_cast<double>(found)) == size);
    REQUIRE(f16_of_float(found) == bits);
  }
}

TEST_CASE("floats become the nearest half, of two as near the even one") {
  for_floats([](float x) {
    CAPTURE(x);
    const double expected = nearest(x, 11, -24);
    const float found = float_of_f16(f16_of_float(x));
    REQUIRE(static_cast<double>(found) == (expected > 65504 ? double{kInfinity} : expected));
    REQUIRE(f16_of_float(-x) == (f16_of_float(x) | 0x8000));
  });
  CHECK(f16_of_float(kInfinity) == 0x7C00);
  CHECK(std::isnan(float_of_f16(f16_of_float(std::nanf("")))));
}

TEST_CASE("floats become the nearest bfloat16, of two as near the even one") {
  for_floats([](float x) {
    CAPTURE(x);
    const double expected = nearest(x, 8, -133);
    const float found = float_of_bf16(bf16_of_float(x));
    const bool overflows = expected >= std::ldexp(1.0, 128);
    REQUIRE(static_cast<double>(found) == (overflows ? double{kInfinity} : expected));
  });
  CHECK(bf16_of_float(-kInfinity) == 0xFF80);
  CHECK(std::isnan(float_of_bf16(bf16_of_float(std::nanf("")))));
}

}  // namespace tinyllm::test
