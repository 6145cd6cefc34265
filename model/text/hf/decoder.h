#pragma once

#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/json.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tinyllm {

/// The byte that ByteLevel writes as this character. GPT-2 writes each of the 188 printable bytes of Latin-1 as itself,
/// and the other 68 as the characters from U+0100 on.
std::optional<char> hf_byte(char32_t c);
/// The bytes of a token in a vocabulary that writes bytes as characters. Nothing if a character stands for no byte.
std::optional<std::string> hf_bytes(std::string_view token);

/// The `decoder` of a tokenizer.json. Immutable.
class HfDecoder {
 public:
  HfDecoder() = default;
  /// Null: `decode` joins tokens with blanks. Throws Error on a type that is not ByteLevel, ByteFallback, Fuse, Strip,
  /// Replace, Metaspace or Sequence.
  explicit HfDecoder(const Json* json);

  /// The text of a whole answer. It may begin or end within a character.
  std::string decode(std::vector<std::string> tokens) const;
  /// The bytes of one token at any position: without the steps that change the beginning or the end of a text.
  std::string bytes_of(std::string_view token) const;

 private:
  struct ByteLevel {};
  struct ByteFallback {};
  struct Fuse {};
  struct Strip {
    std::string content;
    int64_t start = 0;
    int64_t stop = 0;
  };
  struct Replace {
    Regex pattern;
    std::string content;
  };
  struct Metaspace {
    std::string replacement;
    bool strips_first = false;
  };
  using Step = std::variant<ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace>;

  void add(const Json& json, int depth);
  static void run(const Step& step, std::vector<std::string>& tokens, bool is_whole);

  std::vector<Step> steps_;
};

}  // namespace tinyllm
