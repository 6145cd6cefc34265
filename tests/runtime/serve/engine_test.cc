#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/engine.h>

#include "error_of.h"

namespace tinyllm::test {

TEST_CASE("a cache has room for every answer that runs, in at most half of the memory that is available") {
  const int64_t context = 1'000'000'000;
  CHECK(cache_contexts(0, 32, context, std::nullopt) == 32);
  CHECK(cache_contexts(0, 32, context, 100 * context) == 32);
  CHECK(cache_contexts(0, 32, context, 20 * context) == 10);
  CHECK(cache_contexts(0, 32, context, context) == 1);
  CHECK(error_of([&] { cache_contexts(0, 32, context, context - 1); }) ==
        "cache: 1 contexts of 1.00 GB, expected at most the 1.00 GB of memory that are available");
}

TEST_CASE("a cache that was asked for is as large, or refused") {
  const int64_t context = 1'000'000'000;
  CHECK(cache_contexts(64, 32, context, std::nullopt) == 64);
  CHECK(cache_contexts(64, 32, context, 64 * context) == 64);
  CHECK(error_of([&] { cache_contexts(64, 32, context, 20 * context); }) ==
        "cache: 64 contexts of 1.00 GB, expected at most the 20.00 GB of memory that are available");
}

}  // namespace tinyllm::test
