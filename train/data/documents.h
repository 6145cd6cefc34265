#pragma once

#include <string_view>

namespace tinyllm {

/// A corpus is UTF-8 text with a paragraph per line. A line with only this character separates two documents.
inline constexpr char kDocumentBreak = '\f';

/// Whether a line, with or without its end, is such a separator.
inline bool is_document_break(std::string_view line) {
  return line.starts_with(kDocumentBreak) && (line.size() == 1 || line.substr(1) == "\n" || line.substr(1) == "\r\n");
}

}  // namespace tinyllm
