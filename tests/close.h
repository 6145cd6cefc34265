#pragma once

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace tinyllm::test {

/// Checks that each number of `found` differs from that of `expected` by at most `tolerance` times the largest
/// magnitude expected, or times `scale` if that is larger: the size of what was added up, where sums cancel.
template <class Found, class Expected>
void check_close(const std::string& what, const Found& found, const Expected& expected, double tolerance,
                 double scale = 0) {
  REQUIRE_MESSAGE(found.size() == expected.size(), what);
  for (const auto x : expected) scale = std::max(scale, std::abs(static_cast<double>(x)));
  for (size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    if (!(difference <= tolerance * scale)) {
      FAIL_CHECK(fmt::format("{}, element {}: found {}, expected {}, allowed {:.3g}", what, i, found[i], expected[i],
                             tolerance * scale));
      return;
    }
  }
}

}  // namespace tinyllm::test
