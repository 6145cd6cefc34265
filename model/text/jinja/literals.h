#pragma once

#include <string>
#include <string_view>

namespace tinyllm::jinja {

/// Replaces Python's escapes in a string. Throws Error that names the line.
std::string unescape(std::string_view text, int line);

}  // namespace tinyllm::jinja
