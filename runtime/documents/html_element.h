#pragma once

#include <string_view>

namespace tinyllm::documents {

/// How `filter_html` treats the elements of one name.
struct HtmlElement {
  enum class Kind {
    phrasing,    ///< Its tags are dropped: they do not shape the text.
    line_break,  ///< Ends a line.
    block,       ///< Ends lines, and may hold other blocks.
    scope,       ///< A block. End tags in it do not close elements around it.
    paragraph,   ///< Closed by the next block.
    item,        ///< Closed by the next item of its list.
    table_part,  ///< Closed by the next part of its table.
    muted,       ///< An inline element whose text is left out.
    skipped,     ///< Markup in it is text, which is left out.
    verbatim,    ///< Markup in it is text, which is kept.
  };
  Kind kind = Kind::phrasing;
  std::string_view name;     ///< In the filtered page. Empty for phrasing.
  bool is_left_out = false;  ///< The text of this block is left out.
};

/// `name` is in lower case.
const HtmlElement& html_element(std::string_view name);

/// Whether browsers open an element of this name again in the paragraph after the one that it began in.
bool outlives_paragraph(std::string_view name);

}  // namespace tinyllm::documents
