#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Ends a text before the first of some strings. What may be the beginning of one is held back.
class StopStrings {
 public:
  /// Throws Error on a string that is empty, longer than 1024 bytes or not UTF-8.
  explicit StopStrings(std::vector<std::string> strings);

  /// Adds whole characters of the text. Returns what is certain to stand before any of the strings; nothing after one
  /// was found.
  std::string add(std::string_view text);
  /// The text that is still held back, which nothing will follow.
  std::string finish();
  /// Bytes that are held back.
  size_t held() const { return held_.size(); }
  /// The string that was found; null: none.
  const std::string* found() const { return found_ ? &strings_[*found_] : nullptr; }

 private:
  std::vector<std::string> strings_;
  std::string held_;
  std::optional<size_t> found_;
};

}  // namespace tinyllm
