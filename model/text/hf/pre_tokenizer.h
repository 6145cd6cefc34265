#pragma once

#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/json.h>

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tinyllm {

/// The `pre_tokenizer` of a tokenizer.json: splits a text into words, which are encoded one by one. Immutable.
class HfPreTokenizer {
 public:
  HfPreTokenizer() = default;
  /// Null: the whole text is one word. Throws Error on a type that is not ByteLevel, Split, Digits, Metaspace,
  /// Whitespace, WhitespaceSplit, Punctuation or Sequence.
  explicit HfPreTokenizer(const Json* json);

  /// Whether the vocabulary writes bytes as characters, as ByteLevel does.
  bool byte_level() const { return byte_level_; }

  /// Calls `word` with each word; the view is valid during the call. `is_first`: nothing comes before the text.
  using Word = std::function<void(std::string_view)>;
  void split(std::string_view text, bool is_first, const Word& word) const;

 private:
  enum class Behavior : uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };
  struct Split {
    Regex pattern;
    Behavior behavior;
    bool invert;
  };
  struct Metaspace {
    std::string replacement;
    enum class Scheme : uint8_t { first, always, never } scheme;
  };
  struct PrefixBlank {};

  void add(const Json& json, int depth);
  void add_split(std::string_view pattern, Behavior behavior, bool invert);
  void add_metaspace(const Json& json);
  static Behavior behavior_of(const Json& json);
  void run(size_t stage, std::string_view text, bool is_first, const Word& word) const;

  std::vector<std::variant<Split, Metaspace, PrefixBlank>> stages_;
  bool byte_level_ = false;
};

}  // namespace tinyllm
