#include <tinyllm/model/formats/gguf/half.h>

#include <doctest/doctest.h>

#include <cmath>

namespace tinyllm::test {
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
  }
}

}  // namespace tinyllm::test
