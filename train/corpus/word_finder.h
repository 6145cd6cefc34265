#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// Finds any of many words in a text. ASCII letters match in both cases. A word that begins or ends with an ASCII
/// letter or digit is found only as a whole word.
class WordFinder {
 public:
  explicit WordFinder(std::vector<std::string> words);

  bool empty() const { return words_.empty(); }
  /// True when one of the words is in the text.
  bool found_in(std::string_view text) const;

 private:
  bool matches(const std::string& word, std::string_view text, size_t at) const;

  std::vector<std::string> words_;     // In lower case, ordered by slot.
  std::vector<uint32_t> slot_begins_;  // By a hash of a word's first bytes.
  size_t prefix_ = 0;                  // Bytes that are hashed.
};

}  // namespace tinyllm::corpus
