#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tinyllm::search {

enum class CharacterKind : uint8_t {
  blank,    ///< Blanks, punctuation, symbols: what ends a word.
  joiner,   ///< Hyphens, dots and underscores, which join letters on both sides of them to one word.
  word,     ///< Letters and digits of scripts that put blanks between words.
  wide,     ///< Chinese characters, kana and hangul.
  ignored,  ///< Accents, and characters that have no width.
};

struct Folded {
  char32_t character = ' ';
  CharacterKind kind = CharacterKind::blank;
  bool was_upper = false;  ///< A capital letter before it was folded.
};

/// How each character is folded, see `folded` in grams.h. A table, since asking ICU for each character of a text takes
/// twenty times as long.
class Folding {
 public:
  /// Made at the first call, in some milliseconds.
  static const Folding& table();

  /// Calls f(Folded) for what `c` becomes, most often once.
  template <class F>
  void fold(char32_t c, F& f) const {
    const uint32_t entry = c < kTable ? entries_[c] : entry_of(c);
    if ((entry & kSeveral) == 0) return f(unpacked(entry));
    for (const uint32_t each : several_.at(c)) f(unpacked(each));
  }

 private:
  Folding();

  static constexpr char32_t kTable = 0x10000;
  static constexpr uint32_t kSeveral = uint32_t{1} << 31;
  static constexpr int kKindShift = 24;
  static constexpr uint32_t kUpper = uint32_t{1} << 30;

  static Folded unpacked(uint32_t entry) {
    return {entry & 0x1FFFFF, static_cast<CharacterKind>(entry >> kKindShift & 7), (entry & kUpper) != 0};
  }
  /// Of a character outside of the table.
  static uint32_t entry_of(char32_t c);

  std::vector<uint32_t> entries_;
  std::unordered_map<char32_t, std::vector<uint32_t>> several_;
};

}  // namespace tinyllm::search
