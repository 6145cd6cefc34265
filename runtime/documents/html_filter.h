#pragma once

#include <string>
#include <string_view>

namespace tinyllm::documents {

/// Elements of a filtered page that may be open at once, without paragraphs and the parts of a table.
constexpr size_t kDeepestElement = 256;

/// Rewrites a page for the HTML parser with the same text, but only the tags that shape it: blocks, items and tables.
/// Comments, scripts, inline elements and all attributes are removed. `hidden` marks the elements that are left out,
/// and `id` is the level of a heading below the first: all of them are `h1`. The parser takes time in proportion to
/// tags x open elements x attributes of a tag; this bounds the last two. Blocks nested deeper than `kDeepestElement`
/// become line breaks.
std::string filter_html(std::string_view html);

}  // namespace tinyllm::documents
