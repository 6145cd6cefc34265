// Words in answers and around them. For the files of this folder alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyllm {

/// The one form of an answer in words that has several: "no solution" of 无解, "yes" of 是, ">" of 大于.
std::optional<std::string_view> answer_word(std::u32string_view text);

/// The text without what only leads to an answer: "答案是", "故选", "the answer is", "所以". Never all of it.
std::u32string_view without_lead(std::u32string_view text);

/// Whether the text before a number makes a bound or a guess of it, as in 大于5 and 可能是5.
bool hedges_before(std::u32string_view before);
/// Whether the text behind a number does, as in 5以上 and 十几.
bool hedges_behind(std::u32string_view behind);

/// Without a word for "about": 约, ≈.
std::u32string_view without_about(std::u32string_view text);

/// Where a word that begins at `at` ends if its Chinese digits count nothing, as 一共; `at` if there is none.
size_t uncounted_word(std::u32string_view text, size_t at);

/// What is left of the words before a number without those that say nothing of whom it is about; parts between these
/// are separated by blanks.
std::string names_in(std::u32string_view before);

}  // namespace tinyllm
