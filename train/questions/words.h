// Searching texts for one of several words.
#pragma once

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <string_view>

namespace tinyllm::questions {

struct FoundWord {
  size_t at = std::string_view::npos;
  std::string_view word;

  explicit operator bool() const { return at != std::string_view::npos; }
  size_t end() const { return at + word.size(); }
};

/// The first of these words in a text; of two at one place the longer one.
template <class Words>
FoundWord find_word(std::string_view text, const Words& words, size_t from = 0) {
  FoundWord first;
  for (const std::string_view word : words) {
    const size_t at = text.find(word, from);
    if (at < first.at || (at == first.at && at != text.npos && word.size() > first.word.size())) first = {at, word};
  }
  return first;
}

/// The longest of these words that a text begins with; empty if there is none.
template <class Words>
std::string_view word_at_front(std::string_view text, const Words& words) {
  std::string_view longest;
  for (const std::string_view word : words) {
    if (word.size() > longest.size() && text.starts_with(word)) longest = word;
  }
  return longest;
}

template <class Words>
bool begins_with_one(std::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.starts_with(word); });
}

template <class Words>
bool ends_with_one(std::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.ends_with(word); });
}

/// Whether the brackets and quotation marks of a text match.
bool is_balanced(std::string_view text);
/// The text up to the first comma, semicolon or colon outside of brackets.
std::string_view opening_clause(std::string_view text);
/// The text without brackets and what is in them.
std::string without_brackets(std::string_view text);

}  // namespace tinyllm::questions
