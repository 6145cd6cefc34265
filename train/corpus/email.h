#pragma once

#include <cstddef>
#include <string_view>

namespace tinyllm::corpus {

/// The beginning of the name of the mail address whose @ is at `sign`, not before `least`; `sign` if there is no name.
/// In Chinese, which has no blanks, a name is at most four characters long.
size_t email_begin(std::string_view text, size_t least, size_t sign);

/// The end of the domain of the mail address whose @ is at `sign`; `sign` if there is no domain. A domain has a dot,
/// and its last part is letters, or one of the Chinese top-level domains in use.
size_t email_end(std::string_view text, size_t sign);

}  // namespace tinyllm::corpus
