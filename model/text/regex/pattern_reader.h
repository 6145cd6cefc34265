#pragma once

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/uniset.h>

#include <string_view>

namespace tinyllm {

/// Walks over the characters of a pattern that is UTF-8.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  bool done() const { return at_ == pattern_.size(); }
  bool sees(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  /// Skips the text if it comes next.
  bool take(std::string_view text) {
    if (!sees(text)) return false;
    at_ += text.size();
    return true;
  }
  /// The next character.
  char32_t take() {
    if (done()) fail("ends too early");
    return next_character(pattern_, at_);
  }
  /// The text up to `end`, which is skipped.
  std::string_view take_until(std::string_view end) {
    const size_t found = pattern_.find(end, at_);
    if (found == std::string_view::npos) fail("ends too early");
    const std::string_view text = pattern_.substr(at_, found - at_);
    at_ = found + end.size();
    return text;
  }
  size_t position() const { return at_; }
  void go_to(size_t position) { at_ = position; }

  [[noreturn]] void fail(std::string_view found) const {
    throw Error("pattern {}: byte {}: {}", shortened(pattern_), at_, found);
  }

 private:
  std::string_view pattern_;
  size_t at_ = 0;
};

/// The set of an escape after its backslash: a class (`\s`, `\p{L}`) or one character (`\n`, `\x{4E2D}`, `\.`), which
/// `is_class` tells apart. Throws Error on other escapes of letters and digits.
icu::UnicodeSet read_escape(PatternReader& reader, bool& is_class);

/// The set of a class after its opening bracket, up to the closing one. Letters stand for both cases where `any_case`.
icu::UnicodeSet read_class(PatternReader& reader, bool any_case, int depth = 0);

/// With the characters that differ from its own in case alone.
icu::UnicodeSet with_cases(icu::UnicodeSet set);

}  // namespace tinyllm
