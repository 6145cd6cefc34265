#include <doctest/doctest.h>

#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/eval/statistics.h>

#include "error_of.h"

#include <cmath>
#include <vector>

namespace tinyllm::eval::test {

using tinyllm::test::error_of;

TEST_CASE("the Wilson interval solves (p - rate)^2 = z^2 p (1 - p) / n") {
  constexpr double kZ = 1.959963984540054;
  for (const auto& [right, total] : {std::pair<int64_t, int64_t>{8, 10}, {1, 3}, {500, 2000}, {1999, 2000}}) {
    const Interval found = wilson(right, total);
    const double rate = static_cast<double>(right) / static_cast<double>(total);
    for (const double p : {found.low, found.high}) {
      CHECK((p - rate) * (p - rate) == doctest::Approx(kZ * kZ * p * (1 - p) / static_cast<double>(total)));
    }
    CHECK(found.low < rate);
    CHECK(found.high > rate);
  }
  // At the ends, z^2 / (n + z^2) of the other side is left.
  CHECK(wilson(0, 10).low == 0);
  CHECK(wilson(0, 10).high == doctest::Approx(kZ * kZ / (10 + kZ * kZ)));
  CHECK(wilson(10, 10).low == doctest::Approx(10 / (10 + kZ * kZ)));
  CHECK(wilson(10, 10).high == 1);
  CHECK(wilson(0, 0).low == 0);
  CHECK(wilson(0, 0).high == 1);
}

TEST_CASE("McNemar's exact test sums the binomial distribution") {
  CHECK(mcnemar(0, 0) == 1);
  CHECK(mcnemar(3, 3) == 1);
  CHECK(mcnemar(1, 10) == doctest::Approx(2 * (1 + 11) / 2048.0));
  CHECK(mcnemar(10, 1) == doctest::Approx(2 * (1 + 11) / 2048.0));
  CHECK(mcnemar(0, 6) == doctest::Approx(2 / 64.0));
  CHECK(mcnemar(5, 15) == doctest::Approx(2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 1048576.0));
  const double many = mcnemar(400'000, 500'000);  // Neither overflows nor becomes NaN.
  CHECK(many >= 0);
  CHECK(many < 1e-100);
}

TEST_CASE("the bootstrap has the spread of a mean, wider if values come in clusters") {
  std::vector<double> values;
  std::vector<size_t> clusters;
  for (size_t i = 0; i < 400; ++i) {
    values.push_back(i < 200 ? 0 : 1);
    clusters.push_back(i / 50);
  }
  const Interval alone = bootstrap_mean(values), together = bootstrap_mean(values, clusters);
  const double reach = 1.96 * std::sqrt(0.25 / 400);  // Of the normal distribution; drawing 2000 times adds 10 %.
  CHECK(alone.low == doctest::Approx(0.5 - reach).epsilon(0.02));
  CHECK(alone.high == doctest::Approx(0.5 + reach).epsilon(0.02));
  // Eight clusters of equal values are eight values: the interval is that of a binomial with n = 8.
  CHECK(together.low == doctest::Approx(0.125));
  CHECK(together.high == doctest::Approx(0.875));
  const std::vector<double> same(10, -0.25);
  CHECK(bootstrap_mean(same).low == -0.25);
  CHECK(bootstrap_mean(same).high == -0.25);
  CHECK(bootstrap_mean(values, {}, 2).low == bootstrap_mean(values, {}, 2).low);
  CHECK(error_of([&] { bootstrap_mean({}); }) == "bootstrap: no values");
  CHECK(error_of([&] { bootstrap_mean(same, clusters); }) ==
        "bootstrap: 400 clusters for 10 values, expected one for each");
}

TEST_CASE("pass@k counts the draws of k chains that have a right one") {
  // Of 7 chains, 2 right: C(5,3) = 10 of C(7,3) = 35 draws have none.
  CHECK(pass_at_k(7, 2, 3) == doctest::Approx(1 - 10 / 35.0));
  CHECK(pass_at_k(7, 2, 1) == doctest::Approx(2 / 7.0));
  CHECK(pass_at_k(7, 0, 5) == 0);
  CHECK(pass_at_k(7, 3, 5) == 1);
  CHECK(pass_at_k(1000, 1, 500) == doctest::Approx(0.5));
  CHECK(error_of([] { pass_at_k(3, 1, 4); }).starts_with("pass_at_k: 1 of 3 chains right, k 4"));
}

}  // namespace tinyllm::eval::test
