#pragma once

#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tinyllm {

/// The `normalizer` of a tokenizer.json: what is done to a text before it is split. Immutable.
class HfNormalizer {
 public:
  HfNormalizer() = default;
  /// Null: the text stays as it is. Throws Error on a type that is not NFC, NFD, NFKC, NFKD, Prepend, Replace or
  /// Sequence.
  explicit HfNormalizer(const Json* json);

  bool empty() const { return steps_.empty(); }
  /// `is_first` is false for a part of a text that continues another one: nothing is put before it.
  std::string apply(std::string_view text, bool is_first = true) const;

 private:
  struct Form {
    bool compose;
    bool compatible;
  };
  struct Prepend {
    std::string text;
  };
  struct Replace {
    Regex pattern;
    std::string text;
  };
  void add(const Json& json, int depth);

  std::vector<std::variant<Form, Prepend, Replace>> steps_;
};

/// A regular expression of the `pattern` of a tokenizer.json: {"Regex": ...} or {"String": ...}.
Regex read_hf_pattern(const Json& pattern);

/// Nested Sequences of a tokenizer.json are followed to this depth.
inline constexpr int kMaxHfSequences = 8;

}  // namespace tinyllm
