#pragma once

#include <cstddef>
#include <string_view>

namespace tinyllm::corpus {

/// Where the name of a mail address begins whose @ is at `sign`, at `least` or later; `sign` when there is none. In
/// Chinese, which has no blanks, a name is at most four characters long.
size_t email_begin(std::string_view text, size_t least, size_t sign);

/// Where the domain of a mail address ends whose @ is at `sign`; `sign` when there is none. A domain has a dot, and its
/// last part is letters, or one of the Chinese top-level domains in use.
size_t email_end(std::string_view text, size_t sign);

}  // namespace tinyllm::corpus
