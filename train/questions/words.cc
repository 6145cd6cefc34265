#include <tinyllm/train/questions/words.h>

#include <tinyllm/runtime/documents/characters.h>

#include <array>
#include <string>
#include <vector>

namespace tinyllm::questions {
namespace {

constexpr std::u32string_view kOpening = U"（(《〈“「『【[｛{";
constexpr std::u32string_view kClosing = U"）)》〉”」』】]｝}";
// What may hold a note beside a word. Titles and quotations are words themselves.
constexpr std::u32string_view kNote = U"（([【";

// Reads brackets one after the other.
class Brackets {
 public:
  /// False when a bracket closes another one than the last that is open.
  bool add(char32_t c) {
    if (kOpening.find(c) != kOpening.npos) {
      open_.push_back(kClosing[kOpening.find(c)]);
    } else if (kClosing.find(c) != kClosing.npos) {
      if (open_.empty() || open_.back() != c) return false;
      open_.pop_back();
    }
    return true;
  }
  size_t depth() const { return open_.size(); }

 private:
  std::vector<char32_t> open_;
};

}  // namespace

bool is_balanced(std::string_view text) {
  Brackets brackets;
  for (size_t at = 0; at < text.size();) {
    if (!brackets.add(next_character(text, at))) return false;
  }
  return brackets.depth() == 0 && std::count(text.begin(), text.end(), '"') % 2 == 0;
}

std::string_view opening_clause(std::string_view text) {
  constexpr std::u32string_view kEnds = U"，；：,;:";
  Brackets brackets;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_character(text, at);
    brackets.add(c);
    if (brackets.depth() > 0 || kEnds.find(c) == kEnds.npos) continue;
    const bool is_in_number = at < text.size() && c < 0x80 && documents::is_digit(static_cast<unsigned char>(text[at]));
    if (!is_in_number) return text.substr(0, begin);
  }
  return text;
}

std::string without_brackets(std::string_view text) {
  std::string kept;
  size_t depth = 0;
  Brackets notes;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_character(text, at);
    if (depth > 0 || kNote.find(c) != kNote.npos) {
      notes.add(c);
      depth = notes.depth();
    } else {
      kept += text.substr(begin, at - begin);
    }
  }
  while (kept.ends_with(' ')) kept.pop_back();
  return kept;
}

}  // namespace tinyllm::questions
