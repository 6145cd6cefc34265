#pragma once

#include <cstddef>
#include <string_view>

namespace tinyllm::corpus {

/// Calls `line(text, ends)` for each line without its end; a line feed ends one, and so does a carriage return, alone
/// or before a line feed. `ends` is whether the line ended with a line feed, by which lines are counted.
template <class Line>
void for_each_line(std::string_view text, Line line) {
  while (!text.empty()) {
    const size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) return line(text, false);
    const bool two = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    line(text.substr(0, end), text[end] == '\n' || two);
    text.remove_prefix(end + (two ? 2 : 1));
  }
}

}  // namespace tinyllm::corpus
