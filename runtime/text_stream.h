#pragma once

#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/runtime/stop_strings.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The text with one U+FFFD for each character that is cut off, and for each other byte that is not UTF-8. Source:
/// Unicode Standard, "U+FFFD Substitution of Maximal Subparts".
std::string replace_broken_characters(std::string_view text);

/// Turns tokens into text in whole UTF-8 characters; what is none becomes U+FFFD. The text ends before
/// the first stop string. What may be the beginning of a stop string is held back.
class TextStream {
 public:
  /// Throws Error on a stop string that is empty, longer than 1024 bytes or not UTF-8.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop = {});

  /// The text that this token completes. Empty after a stop string was found.
  std::string add(int32_t token);
  /// The text that is still held back.
  std::string finish();
  /// Bytes of text that are held back, without a character that is not complete yet.
  size_t held() const { return stop_.held(); }
  /// The text that an incomplete character becomes if this token does not go on with it; else nothing.
  std::string broken_before(int32_t token) const;
  bool stopped() const { return stop_.found() != nullptr; }

 private:
  const Tokenizer& tokenizer_;
  StopStrings stop_;
  std::string bytes_;  // Of a character that is not complete yet.
};

}  // namespace tinyllm
