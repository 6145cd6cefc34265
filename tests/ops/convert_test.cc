#include <doctest/doctest.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/tensor/base/random.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace tinyllm::test {
namespace {

// What the bits of a number of 16 bits stand for: a sign, an exponent, and a fraction of `fraction_bits`.
double value_of(uint16_t bits, int fraction_bits) {
  const int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 == 0 ? 1 : -1;
  if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

// The bits of the nearest number of 16 bits, by division and rounding in double, which is exact here.
uint16_t nearest(float x, int fraction_bits) {
  const int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const auto sign = static_cast<uint16_t>(std::signbit(x) ? 0x8000 : 0);
  if (std::isinf(x)) return static_cast<uint16_t>(sign | ((1 << exponent_bits) - 1) << fraction_bits);
  const double size = std::abs(static_cast<double>(x));
  const int exponent = size == 0 ? 1 - bias : std::max(std::ilogb(size), 1 - bias);
  // In units of the last place; a carry out of the fraction goes into the exponent, and out of that to infinity.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(size, fraction_bits - exponent)));
  const int encoded = units + ((exponent + bias - 1) << fraction_bits);
  return static_cast<uint16_t>(sign | std::min(encoded, ((1 << exponent_bits) - 1) << fraction_bits));
}

template <class T>
constexpr int kFractionBits = std::is_same_v<T, Half> ? 10 : 7;

template <class T>
std::vector<T> narrowed(const std::vector<float>& x) {
  std::vector<T> y(x.size());
  convert(x, std::span(y));
  return y;
}
template <class T>
std::vector<float> widened(const std::vector<T>& x) {
  std::vector<float> y(x.size());
  convert(std::span<const T>(x), y);
  return y;
}

template <class T>
std::vector<T> all_numbers() {
  std::vector<T> all;
  for (int bits = 0; bits < 1 << 16; ++bits) all.push_back({static_cast<uint16_t>(bits)});
  return all;
}

// Every number of 16 bits, what is half way to the next, and the floats on both sides of that.
template <class T>
std::vector<float> hard_floats() {
  std::vector<float> hard;
  for (const T number : all_numbers<T>()) {
    const double here = value_of(number.bits, kFractionBits<T>);
    const double next = value_of(static_cast<uint16_t>(number.bits + 1), kFractionBits<T>);
    if (!std::isfinite(here) || !std::isfinite(next)) continue;
    const auto middle = static_cast<float>((here + next) / 2);
    for (const float x :
         {static_cast<float>(here), middle, std::nextafter(middle, INFINITY), std::nextafter(middle, -INFINITY)}) {
      hard.push_back(x);
    }
  }
  for (const float x : {65504.0f, 65519.99f, 65520.0f, 65536.0f, 1e30f, 0x1.FEp127f, 0x1.FFp127f, 0x1.FEFFFEp127f,
                        std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(), INFINITY}) {
    hard.push_back(x);
    hard.push_back(-x);
  }
  return hard;
}

template <class T>
void check_type() {
  const std::vector<T> all = all_numbers<T>();
  const std::vector<float> floats = widened(all);
  const std::vector<T> back = narrowed<T>(floats);
  int wrong = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const double expected = value_of(all[i].bits, kFractionBits<T>);
    if (std::isnan(expected)) {
      wrong += !std::isnan(floats[i]) || !std::isnan(value_of(back[i].bits, kFractionBits<T>));
    } else {
      wrong += static_cast<double>(floats[i]) != expected || back[i] != all[i];
    }
  }
  CHECK(wrong == 0);

  std::vector<float> x = hard_floats<T>();
  Random random(3);
  for (int i = 0; i < 100000; ++i) {
    const float any = std::bit_cast<float>(static_cast<uint32_t>(random.below(uint64_t{1} << 32)));
    if (!std::isnan(any)) x.push_back(any);
  }
  const std::vector<T> y = narrowed<T>(x);
  for (size_t i = 0; i < x.size(); ++i) {
    if (y[i].bits == nearest(x[i], kFractionBits<T>)) continue;
    FAIL_CHECK(fmt::format("{:a}: found {:04x}, expected {:04x}", x[i], y[i].bits, nearest(x[i], kFractionBits<T>)));
    return;
  }
}

}  // namespace

TEST_CASE("every half, and every float near one, is converted as the definition of half precision says") {
  check_type<Half>();
}

TEST_CASE("so is bfloat16") { check_type<BFloat16>(); }

TEST_CASE("any number of elements is converted, and nothing after them is touched") {
  for (size_t size = 0; size < 40; ++size) {
    const std::vector<float> x(size, 1.5f);
    std::vector<Half> halves(size + 1, Half{7});
    std::vector<float> floats(size + 1, 7);
    convert(x, std::span(halves).first(size));
    convert(std::span<const Half>(halves).first(size), std::span(floats).first(size));
    CHECK(std::vector<float>(floats.begin(), floats.end() - 1) == x);
    CHECK(halves.back() == Half{7});
    CHECK(floats.back() == 7);
  }
  std::vector<Half> short_one(2);
  CHECK_THROWS_WITH_AS(convert(std::vector<float>(3), std::span(short_one)),
                       "convert: 3 numbers to 2, expected as many", Error);
}

}  // namespace tinyllm::test
