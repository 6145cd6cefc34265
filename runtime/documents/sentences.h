#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tinyllm::documents {

/// Where to cut a text that is longer than `most` characters (at least 1), in bytes: after the last sentence that ends
/// within them, closing quotes included, else after the last blank, else after the last character. Ends in the first
/// half of them are not considered, so that no part is short. All of the text when it is not longer. Looks at no more
/// than `most` characters.
size_t sentence_cut(std::string_view text, int64_t most);

/// The bytes of the first sentence of a text, with closing quotes and the blanks after it; all of a text without an end
/// of a sentence. 。！？；… end one anywhere; . ! ? do where a blank follows, except after an initial (J. Smith), after
/// an abbreviation such as "Dr." or "e.g.", and before a small letter.
size_t first_sentence(std::string_view text);

}  // namespace tinyllm::documents
