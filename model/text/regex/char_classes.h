#pragma once

#include <tinyllm/tensor/base/utf8.h>

#include <unicode/uniset.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Tells quickly whether a character is in one of several sets. Characters that belong to exactly the same sets form a
/// class. One table gives the class of each character, another the classes of each set.
class CharClasses {
 public:
  static constexpr size_t kMaxClasses = 256;

  CharClasses() = default;
  /// Throws Error when the sets make more than kMaxClasses classes.
  explicit CharClasses(const std::vector<icu::UnicodeSet>& sets);

  bool contains(uint32_t set, uint8_t of_class) const { return members_[set][of_class] != 0; }

  /// The class of the character at `at`; moves `at` to the next one.
  uint8_t take_class(std::string_view text, size_t& at) const {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) {
      ++at;
      return ascii_[first];
    }
    const char32_t c = next_character(text, at);
    return blocks_[block_of_[c / 256]][c % 256];
  }

  /// Moves `at` to the next character if the one at `at` is in the set.
  bool take(uint32_t set, std::string_view text, size_t& at) const {
    if (at == text.size()) return false;
    size_t next = at;
    if (!contains(set, take_class(text, next))) return false;
    at = next;
    return true;
  }

  /// Whether the character at `at` is in the set.
  bool sees(uint32_t set, std::string_view text, size_t at) const { return take(set, text, at); }

 private:
  std::array<uint8_t, 128> ascii_{};
  std::array<uint16_t, 0x110000 / 256> block_of_{};
  std::vector<std::array<uint8_t, 256>> blocks_;
  std::vector<std::array<uint8_t, kMaxClasses>> members_;
};

}  // namespace tinyllm
