#pragma once

#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tinyllm {

/// The `normalizer` of a tokenizer.json: changes a text before it is split into words. Immutable.
class HfNormalizer {
 public:
  HfNormalizer() = default;
  /// Null: texts stay unchanged. Throws Error on a type that is not NFC, NFD, NFKC, NFKD, Prepend, Replace or Sequence.
  explicit HfNormalizer(const Json* json);

  bool empty() const { return steps_.empty(); }
  /// `is_first` is false for text that continues other text: Prepend is skipped.
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

/// Reads the field `pattern` of a tokenizer.json: {"Regex": ...} or {"String": ...}.
Regex read_hf_pattern(const Json& pattern);

/// The deepest nesting of Sequences in a tokenizer.json.
inline constexpr int kMaxHfSequences = 8;

}  // namespace tinyllm
