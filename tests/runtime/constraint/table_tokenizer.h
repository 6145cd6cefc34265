// A vocabulary that is written down, with tokens that reach over the borders of JSON and of characters.
#pragma once

#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tinyllm::test {

class TableTokenizer final : public Tokenizer {
 public:
  static constexpr int32_t kPad = 0, kEnd = 1, kMarker = 2;  // The marker has bytes: "<call>".

  /// All bytes, and these texts.
  explicit TableTokenizer(std::vector<std::string> texts = usual_texts()) : texts_{"", "", "<call>"} {
    for (int byte = 0; byte < 256; ++byte) texts_.emplace_back(1, static_cast<char>(byte));
    texts_.insert(texts_.end(), texts.begin(), texts.end());
  }

  static std::vector<std::string> usual_texts() {
    return {"{\"",      "\":",      "\",",
            "\"}",      "\"]",      ", \"",
            "}}",       "]}",       "},",
            "{}",       "[]",       ": ",
            ",\n",      "\n  ",     "\n ",
            "  ",       "[\"",      "\\u",
            "\\ud83d",  "\\u00",    "\\n",
            "\\\"",     "true",     "nul",
            "alse",     "null,",    "12",
            "-1",       "0.",       "00",
            "e+",       "1e",       "a",
            "ab",       "abc",      "a\"",
            "\"a",      "bc",       "name",
            "\"name\"", "\"b\":",   "元",
            "你好",     "元\"",     "\xE5\x85",
            "\x83\x22", "\xF0\x9F", "\x98\x80",
            "😀",        "é\xE4",    "a longer text of more than sixteen characters",
            "\"}\n",    "\"},{",    "\":{\"",
            "\":[",     "1,2",      "1}",
            "x\\",      "<call>{",  "tool"};
  }

  int64_t size() const override { return std::ssize(texts_); }
  uint64_t hash() const override { return 0; }
  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    for (const int32_t token : tokens) text += texts_.at(static_cast<size_t>(token));
    return text;
  }
  std::string_view piece(int32_t token) const override { return texts_.at(static_cast<size_t>(token)); }
  std::optional<int32_t> special(std::string_view text) const override {
    return text == "<call>" ? std::optional(kMarker) : std::nullopt;
  }
  std::span<const int32_t> end_tokens() const override {
    static constexpr std::array kEnds = {kEnd};
    return kEnds;
  }
  int32_t pad() const override { return kPad; }
  std::map<std::string, std::string> files() const override { return {}; }

 private:
  // Byte by byte.
  std::vector<int32_t> encode_utf8(std::string_view text) const override {
    std::vector<int32_t> tokens;
    for (const char byte : text) tokens.push_back(3 + static_cast<unsigned char>(byte));
    return tokens;
  }

  std::vector<std::string> texts_;
};

}  // namespace tinyllm::test
