#include <doctest/doctest.h>

#include <tinyllm/tensor/base/ordered_pipeline.h>

#include <atomic>

namespace tinyllm::test {

TEST_CASE("results are taken in the order of reading, by any number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    int next = 0;
    std::vector<int> taken;
    ordered_pipeline(
        threads, [&]() -> std::optional<int> { return next < 1000 ? std::optional(next++) : std::nullopt; },
        [](int i) {
          if (i % 7 == 0) std::this_thread::yield();
          return 2 * i;
        },
        [&](int result) { taken.push_back(result); });
    REQUIRE(taken.size() == 1000);
    for (int i = 0; i < 1000; ++i) CHECK(taken[static_cast<size_t>(i)] == 2 * i);
  }
}

TEST_CASE("no more pieces are read ahead than the threads need") {
  std::atomic<int> read = 0;
  std::atomic<int> taken = 0;
  int most = 0;
  ordered_pipeline(
      3,
      [&]() -> std::optional<int> {
        most = std::max(most, read - taken);
        return read < 500 ? std::optional(read++) : std::nullopt;
      },
      [](int i) { return i; }, [&](int) { ++taken; });
  CHECK(most <= 6);
}

TEST_CASE("what any part throws is thrown by the whole, and stops it") {
  for (const std::string part : {"next", "work", "take"}) {
    for (const int threads : {1, 4}) {
      CAPTURE(part);
      int next = 0;
      const auto fail = [&](const char* here, int i) {
        if (part == here && i == 50) throw Error("{} failed", here);
        return i;
      };
      CHECK_THROWS_WITH_AS(ordered_pipeline(
                               threads, [&]() -> std::optional<int> { return fail("next", next++); },
                               [&](int i) { return fail("work", i); }, [&](int i) { fail("take", i); }),
                           doctest::Contains(part.c_str()), Error);
      CHECK(next < 100);
    }
  }
}

}  // namespace tinyllm::test
