#pragma once

#include <string_view>

namespace tinyllm {

/// A corpus is UTF-8 text, a paragraph a line; a line that holds this and nothing else stands between two documents.
inline constexpr char kDocumentBreak = '\f';

/// Whether a line, with its end or without, is such a one.
inline bool is_document_break(std::string_view line) {
  return line.starts_with(kDocumentBreak) && (line.size() == 1 || line.substr(1) == "\n" || line.substr(1) == "\r\n");
}

}  // namespace tinyllm
