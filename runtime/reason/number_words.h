// Whole numbers in Chinese. For the files of this folder alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tinyllm {

struct NumberWords {
  size_t end = 0;
  int64_t value = 0;
};

/// The number whose characters begin at `at`: 一百零五, 三万五 (35000), 壹佰贰拾叁, 二〇二四. Nothing if there is none,
/// if its characters make no number (十百), or if it is beyond 64 bits.
std::optional<NumberWords> number_words(std::u32string_view text, size_t at);

/// 0 to 9 for a digit in Chinese.
std::optional<int> digit_word(char32_t c);

/// 10, 100, 1000, 10^4 or 10^8 for 十 百 千 万 亿; 0 for others.
int64_t scale_word(char32_t c);

}  // namespace tinyllm
