#include <doctest/doctest.h>

#include <tinyllm/runtime/text_stream.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include "model/text/sample_text.h"

namespace tinyllm::test {
namespace {

struct Streamed {
  std::string text;
  bool stopped;
};

// A text byte by byte or as it is encoded: each part that is given out is whole.
Streamed stream(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens, const std::vector<std::string>& stop) {
  TextStream stream(tokenizer, stop);
  std::string text;
  for (const int32_t token : tokens) {
    const std::string part = stream.add(token);
    CHECK(valid_utf8(part) == part.size());
    text += part;
  }
  return {text + stream.finish(), stream.stopped()};
}

// The token of one byte.
int32_t byte_token(const Tokenizer& tokenizer, char byte) {
  for (int32_t token = 4; token < tokenizer.size(); ++token) {
    if (tokenizer.decode({&token, 1}) == std::string(1, byte)) return token;
  }
  throw Error("no such token");
}

}  // namespace

TEST_CASE("streamed text never ends within a character, and nothing of it is lost") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const std::string text = "aé题\xF0\x9F\x98\x80 和 \xE2\x96\x81 end";
  CHECK(stream(tokenizer, tokenizer.encode(text), {}).text == text);
  std::vector<int32_t> bytes;
  for (const char byte : text) bytes.push_back(byte_token(tokenizer, byte));
  CHECK(stream(tokenizer, bytes, {}).text == text);
}

TEST_CASE("bytes that are part of no character come out as U+FFFD") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  for (const auto& [text, expected] : {std::pair<std::string, std::string>{"\xE9\xA2", "\uFFFD"},
                                       {"\xF0\x9F\x98z", "\uFFFDz"},
                                       {"a\xFF"
                                        "b",
                                        "a\uFFFDb"},
                                       {"\x80\x80\x80\x80\x80z", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz"}}) {
    std::vector<int32_t> bytes;
    for (const char byte : text) bytes.push_back(byte_token(tokenizer, byte));
    CHECK(stream(tokenizer, bytes, {}).text == expected);
  }
}

TEST_CASE("a character that is cut off is one U+FFFD, and a byte that begins none is another") {
  // Source: Unicode Standard, tables 3-8 to 3-11.
  CHECK(replace_broken_characters("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64") ==
        "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  CHECK(replace_broken_characters("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") ==
        "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  CHECK(replace_broken_characters("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41") ==
        "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  CHECK(replace_broken_characters("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == "\uFFFD\uFFFD\uFFFD\uFFFDA");
  CHECK(replace_broken_characters("a中\U0001F600") == "a中\U0001F600");
}

TEST_CASE("text ends before the first stop string, also where it spans tokens, and comes in full where there is none") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  struct Case {
    std::string text;
    std::vector<std::string> stop;
    std::string expected;
    bool stopped;
  };
  const Case cases[] = {
      {"12 + 35 等于多少？再写答案。", {"多少？"}, "12 + 35 等于", true},
      {"12 + 35 等于多少？再写答案。", {"答", "等于"}, "12 + 35 ", true},
      {"stop at once", {"stop"}, "", true},
      {"to the very end", {"end"}, "to the very ", true},
      {"begun but not: sto", {"stop"}, "begun but not: sto", false},
      {"aab", {"ab"}, "a", true},
      {"abababc", {"ababc"}, "ab", true},
      {"one\n\ntwo", {"\n\n"}, "one", true},
      {"题目", {"题问"}, "题目", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    std::vector<int32_t> bytes;
    for (const char byte : c.text) bytes.push_back(byte_token(tokenizer, byte));
    for (const std::vector<int32_t>& tokens : {tokenizer.encode(c.text), bytes}) {
      const Streamed streamed = stream(tokenizer, tokens, c.stop);
      CHECK(streamed.text == c.expected);
      CHECK(streamed.stopped == c.stopped);
    }
  }
  CHECK_THROWS_AS(TextStream(tokenizer, {""}), Error);
  CHECK_THROWS_AS(TextStream(tokenizer, {"\xE9"}), Error);
}

}  // namespace tinyllm::test
