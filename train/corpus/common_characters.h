#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tinyllm {

/// The characters of daily use: ASCII with blanks, the first levels of GB 2312 (3755 characters) and of Big5 (5401),
/// and the punctuation and signs of GB 2312. Of Chinese prose they are 99 % and more; of text that was decoded in a
/// wrong way, far fewer.
class CommonCharacters {
 public:
  CommonCharacters();
  bool has(char32_t c) const { return c < 0x10000 && (bits_[c / 64] >> (c % 64) & 1) != 0; }

 private:
  void add(char32_t c) { bits_[c / 64] |= uint64_t{1} << (c % 64); }

  std::array<uint64_t, 0x10000 / 64> bits_{};
};

/// Made once.
const CommonCharacters& common_characters();

}  // namespace tinyllm
