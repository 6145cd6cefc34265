#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>

#include "model/text/sample_text.h"
#include "temp_folder.h"

#include <algorithm>

namespace tinyllm::test {
namespace {

std::string utf8(char32_t c) {
  std::string text;
  append_character(text, c);
  return text;
}

// Anything that is a character, with a liking for what is common and for what is special.
std::string random_text(Random& random) {
  static const std::vector<std::string> kSpecial = {" ",
                                                    "  ",
                                                    "\n",
                                                    "\t",
                                                    "\r\n",
                                                    "\xE2\x96\x81",
                                                    std::string(1, '\0'),
                                                    "<|user|>",
                                                    "<|sep|>",
                                                    "<|",
                                                    "|>",
                                                    "</s>",
                                                    "<s>",
                                                    "<0x41>",
                                                    "<unk>",
                                                    "0",
                                                    "123",
                                                    "题",
                                                    "\xF0\x9F\x98\x80",
                                                    "e\xCC\x81",
                                                    "\xE2\x80\x8D"};
  std::string text;
  for (int64_t i = random.below(40); i > 0; --i) {
    char32_t c = static_cast<char32_t>(random.below(0x110000));
    if (c >= 0xD800 && c < 0xE000) c = 'x';
    const int64_t kind = random.below(4);
    text += kind == 0   ? kSpecial[static_cast<size_t>(random.below(static_cast<int64_t>(kSpecial.size())))]
            : kind == 1 ? utf8(c)
            : kind == 2 ? utf8(static_cast<char32_t>(0x4E00 + random.below(200)))
                        : utf8(static_cast<char32_t>(32 + random.below(95)));
  }
  return text;
}

}  // namespace

TEST_CASE("any UTF-8 text comes back byte for byte, and none of it becomes a marker or a control token") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  std::vector<int32_t> special;
  for (const std::string_view text :
       {"<pad>", "<s>", "</s>", "<unk>", "<|system|>", "<|user|>", "<|assistant|>", "<|sep|>"}) {
    special.push_back(tokenizer.special(text).value());
    CHECK(tokenizer.piece(special.back()) == text);
    CHECK(tokenizer.decode({{special.back()}}) == (text.starts_with("<|") ? text : ""));
  }
  std::vector<std::string> texts = {
      "",          std::string(1 << 20, 'a'), std::string(1 << 20, '\0'), std::string(1000, ' '), "<|user|><|user|>",
      "<<|sep|>>", "a\r\nb\rc\n\n",           "\xE2\x96\x81 \xE2\x96\x81"};
  Random random(11);
  for (int i = 0; i < 2000; ++i) texts.push_back(random_text(random));
  for (const std::string& text : texts) {
    const std::vector<int32_t> tokens = tokenizer.encode(text);
    CHECK(tokenizer.decode(tokens) == text);
    CHECK(std::find_first_of(tokens.begin(), tokens.end(), special.begin(), special.end()) == tokens.end());
  }
}

TEST_CASE("an answer and a document end with one token, and no ordinary text is special") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  REQUIRE(tokenizer.end_tokens().size() == 1);
  CHECK(tokenizer.special("</s>") == tokenizer.end_of_document());
  CHECK(tokenizer.is_end(tokenizer.end_of_document()));
  CHECK_FALSE(tokenizer.is_end(tokenizer.pad()));
  CHECK(tokenizer.special("<pad>") == tokenizer.pad());
  for (const std::string_view text : {"", "\n", "a", "<|user", "<0x41>"}) CHECK_FALSE(tokenizer.special(text));
  const std::vector<int32_t> tokens = tokenizer.encode("等于多少");
  CHECK(tokenizer.piece(tokens[0]) == tokenizer.decode({{tokens[0]}}));
}

TEST_CASE("a marker that is typed is cut after its first character") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  std::vector<int32_t> tokens = tokenizer.encode("12 <");
  const std::vector<int32_t> rest = tokenizer.encode("|user|> 3");
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  CHECK(tokenizer.encode("12 <|user|> 3") == tokens);
}

TEST_CASE("what is not UTF-8 is refused by its place, or replaced when asked for") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const struct {
    std::string text;
    std::string error;
    std::string replaced;
  } cases[] = {
      {"a\n\xFF b", "text to encode: line 2, byte 1: 0xFF is not UTF-8", "a\n\uFFFD b"},
      {"\xE9\xA2", "text to encode: line 1, byte 1: 0xE9 is not UTF-8", "\uFFFD\uFFFD"},
      {"\xED\xA0\x80", "text to encode: line 1, byte 1: 0xED is not UTF-8", "\uFFFD\uFFFD\uFFFD"},
      {"\xC0\xAF", "text to encode: line 1, byte 1: 0xC0 is not UTF-8", "\uFFFD\uFFFD"},
      {"题\x98", "text to encode: line 1, byte 4: 0x98 is not UTF-8", "题\uFFFD"},
  };
  for (const auto& c : cases) {
    CHECK_THROWS_WITH_AS(tokenizer.encode(c.text), c.error.c_str(), Error);
    CHECK(tokenizer.decode(tokenizer.encode(c.text, Tokenizer::OnInvalid::replace)) == c.replaced);
  }
}

TEST_CASE("more characters than the vocabulary has room for still come back, the rare ones as bytes") {
  std::vector<std::string> texts;
  for (char32_t c = 0; c < 5000; ++c) texts.push_back("字" + utf8(0x4E00 + c) + "字字\n");
  const SentencePieceTokenizer tokenizer = SentencePieceTokenizer::train(texts, {.vocab_size = 320});
  CHECK(tokenizer.size() <= 320);
  CHECK(tokenizer.encode("字").size() == 1);
  for (char32_t c = 0; c < 5000; c += 7)
    CHECK(tokenizer.decode(tokenizer.encode(utf8(0x4E00 + c))) == utf8(0x4E00 + c));
  CHECK(tokenizer.decode(tokenizer.encode("a blank is one of them")) == "a blank is one of them");
}

TEST_CASE("a line of any length is learnt from") {
  const std::vector<std::string> texts = {std::string(200000, 'a')};
  const SentencePieceTokenizer tokenizer = SentencePieceTokenizer::train(texts, {.vocab_size = 400});
  CHECK(tokenizer.encode(std::string(1600, 'a')).size() <= 100);
}

TEST_CASE("characters that the trainer reserves keep no line from being learnt") {
  for (const std::string reserved : {"\u2585", "\u2581", "\t", "<|user|>", "<unk>", "\r"}) {
    CAPTURE(reserved);
    const std::vector<std::string> texts(50, "harbour orchard " + reserved + " village\n");
    const SentencePieceTokenizer tokenizer = SentencePieceTokenizer::train(texts, {.vocab_size = 400});
    for (const std::string word : {"harbour", " orchard", " village"}) CHECK(tokenizer.encode(word).size() == 1);
    const std::string text = texts[0] + reserved + reserved;
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
  const std::vector<std::string> nothing_else(50, "\u2585\u2581\n");
  CHECK_THROWS_WITH_AS(SentencePieceTokenizer::train(nothing_else, {}), "tokenizer: no text to learn from", Error);
}

TEST_CASE("digits are one token each, and known words are one token") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  CHECK(tokenizer.encode("2024").size() == 4);
  CHECK(tokenizer.encode("等于多少").size() < 4);
}

TEST_CASE("a tokenizer is trained to the same file each time, and loads as it was saved") {
  const TempFolder folder;
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  tokenizer.save_file(folder / "a.model");
  sample_tokenizer().save_file(folder / "b.model");
  CHECK(read_file(folder / "a.model") == read_file(folder / "b.model"));
  const SentencePieceTokenizer loaded = SentencePieceTokenizer::load(folder / "a.model");
  CHECK(loaded.size() == tokenizer.size());
  CHECK(loaded.encode("计算 12 + 3") == tokenizer.encode("计算 12 + 3"));
}

TEST_CASE("a file that is not a tokenizer, a missing text and an unknown token are refused") {
  const TempFolder folder;
  write_file(folder / "bad.model", "not a model");
  CHECK_THROWS_AS(SentencePieceTokenizer::load(folder / "bad.model"), Error);
  CHECK_THROWS_AS(SentencePieceTokenizer::load(folder / "missing.model"), Error);
  CHECK_THROWS_WITH_AS(SentencePieceTokenizer::train({}, {}), "tokenizer: no text to learn from", Error);
  const std::vector<std::string> blank = {"", "\n\n"};
  CHECK_THROWS_AS(SentencePieceTokenizer::train(blank, {}), Error);
  CHECK_THROWS_AS(SentencePieceTokenizer::train(std::vector<std::string>{"a\xE9"}, {}), Error);
  CHECK_THROWS_WITH_AS(sample_tokenizer(299),
                       "tokenizer: 299 tokens asked for, expected 300 or more: 265 are bytes and markers", Error);
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  CHECK_THROWS_AS(tokenizer.decode({{-1}}), Error);
  CHECK_THROWS_AS(tokenizer.decode({{100000}}), Error);
  CHECK_THROWS_AS(tokenizer.piece(-1), Error);
}

}  // namespace tinyllm::test
