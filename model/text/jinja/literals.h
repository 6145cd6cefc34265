#pragma once

#include <string>
#include <string_view>

namespace tinyllm::jinja {

/// What a string stands for in a template: Python's escapes. Throws Error that names the line.
std::string unescape(std::string_view text, int line);

}  // namespace tinyllm::jinja
