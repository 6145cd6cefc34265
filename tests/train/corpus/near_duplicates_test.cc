#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/corpus/near_duplicates.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace tinyllm::test {

using namespace corpus;
namespace {

std::string random_text(Random& random, size_t length) {
  std::string text;
  while (text.size() < length) text += static_cast<char>('a' + random.below(26));
  return text;
}

// By the definition, of text that is lower-case ASCII letters.
double jaccard(std::string_view a, std::string_view b) {
  const auto pieces = [](std::string_view text) {
    std::set<std::string_view> set;
    for (size_t i = 0; i + 5 <= text.size(); ++i) set.insert(text.substr(i, 5));
    return set;
  };
  const auto in_a = pieces(a);
  const auto in_b = pieces(b);
  size_t both = 0;
  for (const std::string_view piece : in_a) both += in_b.count(piece);
  return static_cast<double>(both) / static_cast<double>(in_a.size() + in_b.size() - both);
}

// A pair that has the first `shared` letters in common.
struct Pair {
  std::string a;
  std::string b;
};
Pair random_pair(Random& random, size_t length, size_t shared) {
  const std::string common = random_text(random, shared);
  return {common + random_text(random, length - shared), common + random_text(random, length - shared)};
}

}  // namespace

TEST_CASE("the estimate of the similarity is right within its error, for long and for very short texts") {
  Random random(1);
  for (const size_t length : {size_t{20}, size_t{60}, size_t{200}, size_t{3000}}) {
    for (const double share : {0.0, 0.3, 0.6, 0.9, 1.0}) {
      constexpr int kPairs = 100;
      double deviation = 0;
      for (int i = 0; i < kPairs; ++i) {
        const auto shared = static_cast<size_t>(share * static_cast<double>(length));
        const Pair pair = random_pair(random, length, shared);
        deviation += similarity(minhash(pair.a), minhash(pair.b)) - jaccard(pair.a, pair.b);
      }
      CAPTURE(length);
      CAPTURE(share);
      // The mean of 100 estimates of 96 bins each has an error of 0.005 at the most, and of few pieces, which fill few
      // bins, several times that.
      CHECK(std::abs(deviation / kPairs) < (length < 100 ? 0.06 : 0.02));
    }
  }
}

TEST_CASE("blanks, case, width and punctuation do not count; letters do") {
  const MinHash chinese = minhash("今天的天气很好，我们去公园散步吧。");
  CHECK(minhash("今天 的天气很好,\n我们去公园散步吧！！") == chinese);
  CHECK(minhash("今天的天气不好，我们去公园散步吧。") != chinese);
  CHECK(minhash("Ｔｈｅ ２ brown　foxes — ÉTÉ") == minhash("the 2 brown foxes, été"));
  CHECK(minhash("The 3 brown foxes, été") != minhash("the 2 brown foxes, été"));
  CHECK(minhash("abc") == minhash("A b-c"));
  CHECK(minhash("abc") != minhash("abd"));
  CHECK(minhash("……") == minhash(""));
}

TEST_CASE("pairs of documents are found as often as the curve says") {
  struct Case {
    double threshold;
    double similarity;
    double found_from, found_to;
  };
  // An estimate falls on either side of a threshold that it is at, half the time each.
  const std::vector<Case> cases = {{0.8, 0.95, 0.98, 1}, {0.8, 0.8, 0.3, 0.65}, {0.8, 0.6, 0, 0.01}, {0.8, 0, 0, 0},
                                   {0.5, 0.75, 0.97, 1}, {0.5, 0.25, 0, 0.01},  {1, 1, 1, 1},        {1, 0.9, 0, 0.01}};
  Random random(2);
  for (const Case& c : cases) {
    constexpr int kPairs = 300;
    constexpr size_t kLength = 1000;
    int found = 0;
    NearDuplicates documents(c.threshold);
    for (int i = 0; i < kPairs; ++i) {
      // Of n + n pieces, s in common: J = s / (2 n - s).
      const auto shared = static_cast<size_t>(2 * c.similarity / (1 + c.similarity) * kLength);
      const Pair pair = random_pair(random, kLength, shared);
      const size_t number = documents.size();
      CHECK_FALSE(documents.find_or_add(minhash(pair.a)));
      const std::optional<size_t> earlier = documents.find_or_add(minhash(pair.b));
      if (!earlier) continue;
      CHECK(*earlier == number);
      ++found;
    }
    CAPTURE(c.threshold);
    CAPTURE(c.similarity);
    CHECK(found >= c.found_from * kPairs);
    CHECK(found <= c.found_to * kPairs);
    CHECK(documents.size() == static_cast<size_t>(2 * kPairs - found));
  }
}

TEST_CASE("of many documents each is found again, and they take the memory that is stated") {
  Random random(3);
  constexpr size_t kDocuments = 20000;
  std::vector<MinHash> hashes(kDocuments);
  for (MinHash& hash : hashes) {
    for (uint8_t& byte : hash) byte = static_cast<uint8_t>(random.next());
  }
  NearDuplicates documents;
  for (size_t i = 0; i < kDocuments; ++i) CHECK_FALSE(documents.find_or_add(hashes[i]));
  for (size_t i = 0; i < kDocuments; ++i) CHECK(documents.find_or_add(hashes[i]) == i);
  CHECK(documents.size() == kDocuments);
  CHECK(documents.memory() <= 196 * kDocuments);
}

TEST_CASE("a threshold that is no similarity worth searching is refused") {
  CHECK_THROWS_WITH_AS(NearDuplicates(0.3), "near duplicates: the threshold is 0.3, expected 0.5 to 1", Error);
  CHECK_THROWS_AS(NearDuplicates(1.5), Error);
  CHECK_THROWS_AS(NearDuplicates(std::nan("")), Error);
}

}  // namespace tinyllm::test
