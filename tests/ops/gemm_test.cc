#include <doctest/doctest.h>

#include <tinyllm/ops/detail/gemm.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <bit>
#include <cmath>
#include <vector>

namespace tinyllm::test {
namespace {

std::vector<float> random_floats(int64_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& x : values) x = static_cast<float>(random.uniform() * 2 - 1);
  return values;
}

// To the nearest number of 8 bits of mantissa, to the even one of two as near.
float to_bf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
}

std::vector<float> product(const GemmShape& s, const std::vector<float>& a, const std::vector<float>& b, int threads) {
  ThreadPool pool(threads);
  std::vector<float> c(static_cast<size_t>(s.m * s.n), 3.0f);
  std::vector<std::byte> workspace(gemm_workspace(s, threads));
  gemm(s, a.data(), b.data(), nullptr, c.data(), workspace.data(), pool);
  return c;
}

// Against a plain loop in double. A sum of k products in float errs by at most k units of 2^-24 of what their sizes add
// up to; a bound twice as wide leaves room for how the instructions for bfloat16 round within a pair.
void check_product(const GemmShape& s) {
  CAPTURE(s.m);
  CAPTURE(s.n);
  CAPTURE(s.k);
  CAPTURE(s.trans_a);
  CAPTURE(s.trans_b);
  const std::vector<float> a = random_floats(s.m * s.k, 1), b = random_floats(s.k * s.n, 2);
  const std::vector<float> c = product(s, a, b, 1);
  const auto rounded = [&](float x) { return static_cast<double>(s.precision == Precision::bf16 ? to_bf16(x) : x); };
  double worst = 0;
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = s.accumulate ? 3 : 0, size = sum;
      for (int64_t p = 0; p < s.k; ++p) {
        const double x = rounded(a[static_cast<size_t>(s.trans_a ? p * s.m + i : i * s.k + p)]) *
                         rounded(b[static_cast<size_t>(s.trans_b ? j * s.k + p : p * s.n + j)]);
        sum += x;
        size += std::abs(x);
      }
      const double bound = 2 * static_cast<double>(s.k + 1) * 0x1p-24 * size + 1e-30;
      worst = std::max(worst, std::abs(static_cast<double>(c[static_cast<size_t>(i * s.n + j)]) - sum) / bound);
    }
  }
  CHECK(worst <= 1);
  for (const int threads : {2, 3, 8}) CHECK(product(s, a, b, threads) == c);
}

// Sizes around those of strips, panels, tiles and stretches; the last has more of k than is packed at once.
constexpr int64_t kSizes[][3] = {{1, 1, 1},     {2, 33, 3},    {14, 32, 16},  {15, 31, 255}, {40, 100, 257},
                                 {97, 65, 1},   {300, 50, 64}, {30, 700, 40}, {20, 3, 0},    {170, 40, 513},
                                 {1, 600, 520}, {7, 64, 515},  {50, 320, 700}};

void check_products(Precision precision) {
  for (const auto& [m, n, k] : kSizes) {
    for (const int sides : {0, 1, 2, 3}) {
      check_product({.m = m,
                     .n = n,
                     .k = k,
                     .trans_a = sides / 2 == 1,
                     .trans_b = sides % 2 == 1,
                     .accumulate = (m + n) % 2 == 0,
                     .precision = precision});
    }
  }
  // As wide as one packed stretch, and wider; and deeper.
  check_product({.m = 20, .n = 4100, .k = 9, .precision = precision});
  check_product({.m = 100, .n = 4096, .k = 1030, .accumulate = true, .precision = precision});
}

}  // namespace

TEST_CASE("a product is what a plain loop gives, for every size and side, and the same bits on any number of threads") {
  check_products(Precision::fp32);
}

TEST_CASE("a row of a product is the same bits whatever rows are computed with it") {
  constexpr int64_t kMost = 150;
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{1, 7}, {40, 64}, {333, 513}, {4100, 30}, {320, 1100}}) {
    const std::vector<float> a = random_floats(kMost * k, 3), b = random_floats(n * k, 4);
    for (const bool trans_b : {false, true}) {
      const auto rows = [&](int64_t m) {
        return product({.m = m, .n = n, .k = k, .trans_b = trans_b}, {a.begin(), a.begin() + m * k}, b, 2);
      };
      const std::vector<float> all = rows(kMost);
      for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 16, 17, 31, 96, 97, 128, 129}) {
        CAPTURE(m);
        CHECK(rows(m) == std::vector<float>(all.begin(), all.begin() + m * n));
      }
    }
  }
}

TEST_CASE("a product in bfloat16 is that of the rounded numbers, or is refused where the CPU has no instruction") {
  if (is_supported(Precision::bf16)) {
    check_products(Precision::bf16);
    return;
  }
  MESSAGE("skipped: these kernels have no products in bfloat16");
  ThreadPool pool(1);
  const std::vector<float> x(256, 1.0f);
  std::vector<float> y(256);
  const GemmShape shape{.m = 16, .n = 16, .k = 16, .precision = Precision::bf16};
  std::vector<std::byte> workspace(gemm_workspace(shape, 1));
  CHECK_THROWS_AS(gemm(shape, x.data(), x.data(), nullptr, y.data(), workspace.data(), pool), Error);
}

}  // namespace tinyllm::test
