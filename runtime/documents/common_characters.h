#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tinyllm::documents {

/// The characters of daily use: ASCII with blanks, the first levels of GB 2312 (3755 characters) and of Big5 (5401),
/// and the punctuation and signs of GB 2312. They are 99 % and more of Chinese prose, and far fewer of text that was
/// decoded with the wrong encoding.
class CommonCharacters {
 public:
  CommonCharacters();
  bool has(char32_t c) const { return c < 0x10000 && (bits_[c / 64] >> (c % 64) & 1) != 0; }

 private:
  void add(char32_t c) { bits_[c / 64] |= uint64_t{1} << (c % 64); }

  std::array<uint64_t, 0x10000 / 64> bits_{};
};

/// The one instance, made when it is first used.
const CommonCharacters& common_characters();

}  // namespace tinyllm::documents
