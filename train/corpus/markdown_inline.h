#pragma once

#include <set>
#include <string>
#include <string_view>

namespace tinyllm {

/// Appends a line of Markdown without the marks within it: emphasis, back quotes, links (but for their words), images,
/// notes' numbers, back slashes before marks. `labels` are those that links may refer to, in lower case. Entities are
/// decoded.
void append_without_marks(std::string_view line, const std::set<std::string, std::less<>>& labels, std::string& text);

}  // namespace tinyllm
