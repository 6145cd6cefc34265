#include <tinyllm/train/corpus/word_finder.h>

#include <tinyllm/runtime/documents/characters.h>

#include <algorithm>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kSlots = size_t{1} << 16;
constexpr size_t kLongestPrefix = 3;  // A Chinese character.

size_t slot(std::string_view text, size_t at, size_t prefix) {
  uint32_t hash = 0;
  for (size_t i = 0; i < prefix; ++i) hash = hash << 8 | static_cast<unsigned char>(lower_case(text[at + i]));
  return (hash * 2654435761u) >> 16;  // Multiplicative hashing (Knuth).
}

}  // namespace

WordFinder::WordFinder(std::vector<std::string> words) : words_(std::move(words)) {
  std::erase_if(words_, [](const std::string& word) { return word.empty(); });
  if (words_.empty()) return;
  prefix_ = kLongestPrefix;
  for (std::string& word : words_) {
    word = lower_case(std::string_view(word));
    prefix_ = std::min(prefix_, word.size());
  }
  std::sort(words_.begin(), words_.end(),
            [&](const std::string& a, const std::string& b) { return slot(a, 0, prefix_) < slot(b, 0, prefix_); });
  slot_begins_.assign(kSlots + 1, 0);
  for (const std::string& word : words_) ++slot_begins_[slot(word, 0, prefix_) + 1];
  for (size_t i = 0; i < kSlots; ++i) slot_begins_[i + 1] += slot_begins_[i];
}

bool WordFinder::found_in(std::string_view text) const {
  if (words_.empty()) return false;
  for (size_t at = 0; at + prefix_ <= text.size(); ++at) {
    const size_t s = slot(text, at, prefix_);
    for (size_t i = slot_begins_[s]; i < slot_begins_[s + 1]; ++i) {
      if (matches(words_[i], text, at)) return true;
    }
  }
  return false;
}

bool WordFinder::matches(const std::string& word, std::string_view text, size_t at) const {
  const size_t end = at + word.size();
  if (end > text.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower_case(text[at + i]) != word[i]) return false;
  }
  const bool starts = !is_ascii_alphanumeric(word.front()) || at == 0 || !is_ascii_alphanumeric(text[at - 1]);
  const bool ends = !is_ascii_alphanumeric(word.back()) || end == text.size() || !is_ascii_alphanumeric(text[end]);
  return starts && ends;
}

}  // namespace tinyllm::corpus
