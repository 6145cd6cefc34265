#pragma once

#include <set>
#include <string>
#include <string_view>

namespace tinyllm::documents {

/// Appends a line of Markdown without the marks in it: emphasis, back quotes, links (except for their words), images,
/// numbers of notes, and backslashes before marks. `labels` are those that links may refer to, in lower case. Entities
/// are decoded.
void append_without_marks(std::string_view line, const std::set<std::string, std::less<>>& labels, std::string& text);

}  // namespace tinyllm::documents
