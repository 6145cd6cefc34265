#include <doctest/doctest.h>

#include <tinyllm/train/corpus/hash_set.h>

#include <unordered_set>

namespace tinyllm::test {

using namespace corpus;

TEST_CASE("a set of hashes knows what it was given, also as it grows") {
  HashSet set;
  std::unordered_set<uint64_t> reference;
  for (uint64_t i = 0; i < 50000; ++i) {
    const uint64_t hash = i * i % 30011 * 0x9E3779B97F4A7C15;
    CHECK(set.insert(hash) == reference.insert(hash).second);
  }
}

TEST_CASE("a set of hashes forgets the oldest when it is full") {
  HashSet set(100);
  for (uint64_t i = 1; i <= 1000; ++i) CHECK(set.insert(i));
  CHECK(!set.insert(1000));
  CHECK(!set.insert(951));
  CHECK(set.insert(1));
}

}  // namespace tinyllm::test
