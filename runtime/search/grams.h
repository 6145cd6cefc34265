#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What of a text is looked up: grams, the same for documents and for questions. No dictionary is involved.
namespace tinyllm::search {

/// A term of the index, below 2^63: one or two Chinese, Japanese or Korean characters as they are, or the hash of a
/// word.
using Gram = uint64_t;

/// The letters and digits of a text in one form, blanks and punctuation as single blanks: compatibility characters
/// replaced and cases folded (Unicode's NFKC_Casefold, per character), accents of Latin, Greek and Cyrillic removed,
/// traditional Chinese characters replaced by simplified ones, character for character. `Ｇｒößé` and `grosse` are the
/// same. Bytes that are not UTF-8 are blanks.
std::u32string folded(std::string_view text);

/// Appends the grams of a text in order. Each run of Chinese, Japanese or Korean characters gives its characters and
/// its pairs of neighbours. Each word of other scripts gives itself, and its parts where hyphens, dots, underscores,
/// changes to capitals, and borders of letters and digits divide it: `PPR-9087` gives ppr9087, ppr and 9087.
void append_grams(std::string_view text, std::vector<Gram>& grams);

/// The gram of two characters that are neighbours, folded already.
Gram pair_of(char32_t first, char32_t second);

/// The distinct grams of a question in order, at most `most`, without the words of asking and of grammar, Chinese and
/// English. If the question consists of these alone, they stay.
std::vector<Gram> question_grams(std::string_view question, size_t most = 512);

}  // namespace tinyllm::search
