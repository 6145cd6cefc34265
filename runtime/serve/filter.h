#pragma once

#include <tinyllm/runtime/serve/stream_pattern.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// What texts must not hold: words and regular expressions. Matching takes time in proportion to the text and the size
/// of the patterns, whatever they are: it never goes back.
class Filter {
 public:
  /// A word, or an expression between slashes, on each line; empty lines and lines that begin with '#' are skipped.
  /// Words match in any case, and also within longer words. Expressions are in the syntax of `parse_pattern`, without
  /// looking around, borders of words or lines, atomic groups and possessive repeats. Throws Error that names the line.
  explicit Filter(std::string_view rules, std::string_view where = "filter");

  /// The rules of a file. Throws Error that names the file and the line.
  static std::shared_ptr<const Filter> load(const std::filesystem::path& path);

  bool matches(std::string_view text) const;

 private:
  friend class FilterStream;
  // A tree of the words' characters. Source: Aho, Corasick, "Efficient String Matching", 1975.
  struct Node {
    std::map<char32_t, uint32_t> next;
    uint32_t fallback = 0;  // The longest end of this node's text that is another node.
    uint32_t depth = 0;     // Characters of its text.
    uint32_t word = 0;      // Characters of the longest word that ends here; 0: none does.
  };
  void add_word(std::string_view word);
  void link();
  uint32_t step(uint32_t node, char32_t c) const;

  std::vector<Node> nodes_ = {{}};
  std::vector<StreamPattern> patterns_;
};

/// A filter over a text that arrives in pieces of whole characters. What may be the beginning of a match is held back,
/// up to 256 characters: of a longer match, the first ones have passed.
class FilterStream {
 public:
  /// A null filter lets everything pass.
  explicit FilterStream(const Filter* filter);

  /// Adds text, which is UTF-8, and returns what no match can hold; nothing after a match. `is_last`: nothing follows.
  std::string add(std::string_view text, bool is_last);
  /// Whether a match was found. What stands before it was returned.
  bool has_matched() const { return has_matched_; }
  /// Bytes that were returned.
  size_t passed() const { return passed_; }

 private:
  // Takes one character. Returns how many of the last ones a match may begin with, or 0 after a match, which is then
  // noted with its number of characters.
  size_t take(char32_t c, size_t& match);

  const Filter* filter_;
  std::string held_;
  uint32_t node_ = 0;
  std::vector<StreamPattern::State> states_;  // Of each pattern.
  size_t passed_ = 0;
  bool has_matched_ = false;
};

}  // namespace tinyllm
