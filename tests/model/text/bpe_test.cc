#include <doctest/doctest.h>

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>

#include "model/text/sample_text.h"
#include "temp_folder.h"
#include "test_data.h"

#include <sentencepiece_processor.h>

#include <algorithm>

namespace tinyllm::test {
namespace {

// Texts of few different parts, in which nearly everything can be merged with its neighbour in several ways.
std::string dense_text(Random& random, int64_t parts) {
  static const std::vector<std::string> kParts = {"a", "b",  "ab", "ba",   "aab", " ",         "  ", "\n",
                                                  "1", "中", "文", "中文", "é",   "e\xCC\x81", "。"};
  std::string text;
  for (; parts > 0; --parts) text += kParts[static_cast<size_t>(random.below(static_cast<int64_t>(kParts.size())))];
  return text;
}

std::vector<std::string> dense_texts(uint64_t seed, int64_t count) {
  Random random(seed);
  std::vector<std::string> texts;
  for (; count > 0; --count) texts.push_back(dense_text(random, 1 + random.below(60)));
  return texts;
}

// The encoder of SentencePiece, on the same file.
class Reference {
 public:
  explicit Reference(const Tokenizer& tokenizer) {
    const TempFolder folder;
    tokenizer.save(folder.path());
    REQUIRE(processor_.LoadFromSerializedProto(read_file(folder / kTokenizerFile)).ok());
  }
  std::vector<int32_t> encode(const std::string& text) const { return processor_.EncodeAsIds(text); }

 private:
  sentencepiece::SentencePieceProcessor processor_;
};

void check_same(const Tokenizer& tokenizer, std::span<const std::string> texts) {
  const Reference reference(tokenizer);
  for (const std::string& text : texts) {
    INFO(text.substr(0, 200));
    CHECK(tokenizer.encode(text) == reference.encode(text));
  }
}

std::vector<Bpe::Piece> letters(const std::string& text) {
  std::vector<Bpe::Piece> pieces;
  for (const char letter : text) pieces.push_back({{letter}, -100.0F, Bpe::Kind::merged});
  return pieces;
}

}  // namespace

TEST_CASE("tokens are those of SentencePiece's encoder, in short texts and in long ones") {
  const std::vector<std::string> learnt = dense_texts(1, 2000);
  const SentencePieceTokenizer dense = SentencePieceTokenizer::train(learnt, {.vocab_size = 900});
  check_same(dense, dense_texts(2, 4000));
  Random random(3);
  for (const int64_t parts : {100, 1000, 30000}) {
    check_same(dense, std::vector{dense_text(random, parts)});
  }
  check_same(dense, std::vector{std::string(5000, 'a'), std::string(5000, ' '), std::string(4999, 'b')});

  const SentencePieceTokenizer sample = sample_tokenizer();
  check_same(sample, sample_texts());
  check_same(sample, dense_texts(4, 1000));
}

TEST_CASE("tokens are those of SentencePiece's encoder on real text") {
  for (const char* name : {"pretrain_zh_sample.txt", "pretrain_en_sample.txt"}) {
    const auto path = shared_data(name);
    if (!path) continue;
    const std::string text = read_file(*path);
    const std::vector<std::string> texts = {text};
    check_same(
        SentencePieceTokenizer::train(std::vector{text.substr(0, text.find('\n', 100000))}, {.vocab_size = 2000}),
        texts);
  }
}

TEST_CASE("the piece of the highest score is made first, of equal ones the leftmost") {
  std::vector<Bpe::Piece> pieces = letters("abc");
  const auto tokens_of = [&](const std::string& text) {
    std::vector<int32_t> tokens;
    Bpe(pieces).encode(text, tokens);
    return tokens;
  };
  pieces.push_back({"ab", -1, Bpe::Kind::merged});
  pieces.push_back({"bc", 0, Bpe::Kind::merged});
  CHECK(tokens_of("abc") == std::vector<int32_t>{0, 4});
  pieces[4].score = -1;
  CHECK(tokens_of("abc") == std::vector<int32_t>{3, 2});
  pieces.push_back({"aa", -2, Bpe::Kind::merged});
  for (const size_t length : {size_t{3}, size_t{101}}) {
    std::vector<int32_t> expected(length / 2, 5);
    expected.push_back(0);
    CHECK(tokens_of(std::string(length, 'a')) == expected);
  }
  pieces.push_back({"abcb", 0, Bpe::Kind::whole});
  pieces.push_back({"ab", 0, Bpe::Kind::spelled});
  CHECK(tokens_of("abcbab") == std::vector<int32_t>{6, 0, 1});
}

TEST_CASE("pieces that cannot be made are refused") {
  std::vector<Bpe::Piece> pieces = letters("abc");
  pieces.push_back({"abc", -1, Bpe::Kind::merged});
  CHECK_THROWS_WITH_AS(Bpe{pieces}, "tokenizer: piece 3 is not made of two pieces", Error);
  pieces.back().text = "ad";
  CHECK_THROWS_WITH_AS(Bpe{pieces}, "tokenizer: a character of piece 3 is not a piece", Error);
}

TEST_CASE("pairs that were chosen to have one hash are refused instead of being searched one by one") {
  // The table reads the upper half of (left 2^32 + right) k, so that pairs meet where left k and its carry cancel out.
  constexpr uint64_t k = 0x9E3779B97F4A7C15;
  const uint32_t low = static_cast<uint32_t>(k);
  uint32_t inverse = low;  // Of an odd number, by Newton's method.
  for (int i = 0; i < 5; ++i) inverse *= 2 - low * inverse;
  PairTable table;
  const auto add_colliding = [&] {
    for (int32_t right = 0; right < 1000; ++right) {
      const auto carry = static_cast<uint32_t>(static_cast<uint64_t>(right) * k >> 32);
      table.add(static_cast<int32_t>((0u - carry) * inverse & 0x7FFFFFFF), right, {});
    }
  };
  CHECK_THROWS_WITH_AS(add_colliding(), "tokenizer: more than 256 pairs of tokens have one hash", Error);
}

TEST_CASE("a table of pairs gives back what was added, the lower rank of two") {
  PairTable table;
  for (int32_t i = 0; i < 3000; ++i) table.add(i % 50, i / 50, {static_cast<uint32_t>(i), i});
  for (int32_t i = 0; i < 3000; ++i) {
    const Merge* merge = table.find(i % 50, i / 50);
    REQUIRE(merge != nullptr);
    CHECK(merge->id == i);
  }
  CHECK(table.find(50, 0) == nullptr);
  table.add(1, 0, {0, 7});
  table.add(2, 0, {9, 8});
  CHECK(table.find(1, 0)->id == 7);
  CHECK(table.find(2, 0)->id == 2);
}

}  // namespace tinyllm::test
