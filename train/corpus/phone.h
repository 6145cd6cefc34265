#pragma once

#include <cstddef>
#include <string_view>

namespace tinyllm::corpus {

/// The end of the telephone number that begins at `at`; `at` if none begins there. At `at` there must be an opening
/// bracket or the first digit of a run. Digits may be in groups with blanks, hyphens, dots and brackets between them:
///   China           138 1234 5678, 010-12345678-801, 400-123-4567; the first two also after 86 or 0086
///   North America   (212) 555-0100, 1 212 555 0100
///   any other       after +, 8 to 15 digits (ITU-T E.164)
/// Text before `least` has already been replaced. Looks at a bounded number of bytes around `at`.
size_t phone_end(std::string_view text, size_t at, size_t least);

}  // namespace tinyllm::corpus
