#include <doctest/doctest.h>

#include <tinyllm/model/text/byte_bpe.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <map>

namespace tinyllm::test {
namespace {

struct Vocabulary {
  std::vector<std::string> pieces;
  std::vector<Bpe::ListedMerge> merges;
};

Vocabulary bytes_alone() {
  Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary.pieces.emplace_back(1, static_cast<char>(byte));
  return vocabulary;
}

// The definition: of all neighbours that have a merge, the one of the lowest rank, the leftmost of equal ones.
std::vector<int32_t> reference(const Vocabulary& vocabulary, std::string_view word) {
  std::vector<int32_t> ids;
  for (const char byte : word) ids.push_back(static_cast<unsigned char>(byte));
  for (;;) {
    size_t best_rank = vocabulary.merges.size();
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        const auto& merge = vocabulary.merges[rank];
        if (merge.left != ids[i] || merge.right != ids[i + 1]) continue;
        best_rank = rank;
        place = i;
      }
    }
    if (best_rank == vocabulary.merges.size()) return ids;
    ids[place] = vocabulary.merges[best_rank].merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
}

// Characters that share bytes, so that merges tear them.
std::string random_word(Random& random, int64_t most) {
  static const std::vector<std::string> kParts = {"a", "b", " ", "中", "丰", "串", "é", "è", "Ã", "😀", "😁", "\u0300"};
  std::string word;
  for (int64_t n = 1 + random.below(most); n > 0; --n) {
    word += kParts[static_cast<size_t>(random.below(static_cast<int64_t>(kParts.size())))];
  }
  return word;
}

// Merges of neighbours that occur in words, in random order, so that some come before those that make their parts.
Vocabulary random_vocabulary(Random& random, int merges) {
  Vocabulary vocabulary = bytes_alone();
  std::map<std::string, int32_t> id_of;
  for (size_t i = 0; i < 256; ++i) id_of[vocabulary.pieces[i]] = static_cast<int32_t>(i);
  for (int i = 0; i < merges; ++i) {
    const std::vector<int32_t> ids = reference(vocabulary, random_word(random, 6));
    if (ids.size() < 2) continue;
    const auto place = static_cast<size_t>(random.below(static_cast<int64_t>(ids.size()) - 1));
    const std::string joined =
        vocabulary.pieces[static_cast<size_t>(ids[place])] + vocabulary.pieces[static_cast<size_t>(ids[place + 1])];
    const auto [found, is_new] = id_of.try_emplace(joined, static_cast<int32_t>(vocabulary.pieces.size()));
    if (is_new) vocabulary.pieces.push_back(joined);
    const auto at = static_cast<ptrdiff_t>(random.below(static_cast<int64_t>(vocabulary.merges.size()) + 1));
    vocabulary.merges.insert(vocabulary.merges.begin() + at, {ids[place], ids[place + 1], found->second});
  }
  return vocabulary;
}

std::vector<int32_t> encode(const ByteBpe& bpe, std::string_view word) {
  std::vector<int32_t> tokens;
  bpe.encode_word(word, tokens);
  return tokens;
}

}  // namespace

TEST_CASE("tokens over bytes are those of merging pair after pair, also where merges tear characters") {
  Random random(5);
  for (int i = 0; i < 60; ++i) {
    const Vocabulary vocabulary = random_vocabulary(random, 10 + 4 * i);
    const ByteBpe bpe(vocabulary.pieces, vocabulary.merges, {});
    for (int n = 0; n < 150; ++n) {
      const std::string word = random_word(random, n < 140 ? 12 : 60);
      INFO(i, " ", word);
      CHECK(encode(bpe, word) == reference(vocabulary, word));
    }
  }
}

TEST_CASE("a word that is a piece is one token at once if merges are ignored") {
  Vocabulary vocabulary = bytes_alone();
  vocabulary.pieces.push_back("abc");
  CHECK(encode(ByteBpe(vocabulary.pieces, vocabulary.merges, {}), "abc") == std::vector<int32_t>{'a', 'b', 'c'});
  const ByteBpe ignores(vocabulary.pieces, vocabulary.merges, {.ignore_merges = true});
  CHECK(encode(ignores, "abc") == std::vector<int32_t>{256});
  CHECK(encode(ignores, "abcd") == std::vector<int32_t>{'a', 'b', 'c', 'd'});
}

TEST_CASE("a byte that is not a piece is unknown, or nothing") {
  Vocabulary vocabulary = bytes_alone();
  vocabulary.pieces['b'] = "";
  const auto with = [&](const ByteBpe::Options& options) {
    return encode(ByteBpe(vocabulary.pieces, vocabulary.merges, options), "abba");
  };
  CHECK(with({}) == std::vector<int32_t>{'a', 'a'});
  CHECK(with({.unknown = 0}) == std::vector<int32_t>{'a', 0, 0, 'a'});
  CHECK(with({.unknown = 0, .fuse_unknown = true}) == std::vector<int32_t>{'a', 0, 'a'});
}

}  // namespace tinyllm::test
