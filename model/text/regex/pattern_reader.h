#pragma once

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/uniset.h>

#include <string_view>

namespace tinyllm {

/// Reads the characters of a pattern, which must be UTF-8.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  bool done() const { return at_ == pattern_.size(); }
  bool sees(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  /// Skips the text if it is next.
  bool take(std::string_view text) {
    if (!sees(text)) return false;
    at_ += text.size();
    return true;
  }
  /// Reads the next character.
  char32_t take() {
    if (done()) fail("ends too early");
    return next_character(pattern_, at_);
  }
  /// Reads the text up to `end`, and skips `end`.
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

/// Reads an escape after its backslash. It is a class (`\s`, `\p{L}`) or one character (`
/// `, `\x{4E2D}`, `\.`); `is_class` tells which. Throws Error on other escapes of letters and digits.
icu::UnicodeSet read_escape(PatternReader& reader, bool& is_class);

/// Reads a class after its opening bracket, up to the closing one. With `any_case`, letters match in both cases.
icu::UnicodeSet read_class(PatternReader& reader, bool any_case, int depth = 0);

/// The set, with all characters that differ from its own only in case.
icu::UnicodeSet with_cases(icu::UnicodeSet set);

}  // namespace tinyllm
