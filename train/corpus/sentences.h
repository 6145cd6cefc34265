#pragma once

#include <cstdint>
#include <string_view>

namespace tinyllm::corpus {

/// Where to cut a text that is longer than `most` characters (at least 1), in bytes: after the last sentence that ends
/// within them, closing quotes included, else after the last blank, else after the last character. Ends in the first
/// half of them are not considered, so that no part is short. All of the text when it is not longer. Looks at no more
/// than `most` characters.
size_t sentence_cut(std::string_view text, int64_t most);

}  // namespace tinyllm::corpus
