#pragma once

namespace tinyllm {

/// A corpus is UTF-8 text, a paragraph a line; a line that holds this and nothing else stands between two documents.
inline constexpr char kDocumentBreak = '\f';

}  // namespace tinyllm
