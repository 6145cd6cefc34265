#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::documents {

/// A heading that is a line of a text.
struct HeadingMark {
  size_t offset = 0;  ///< Of the line, in bytes.
  int level = 0;      ///< 1 to 6.
};

/// The readable text of a page in UTF-8, one paragraph per line. Headings, paragraphs, items (after "- ") and rows of
/// tables (cells after tabs) are lines. Within a line, blanks and line feeds become one blank, or none between Chinese
/// characters; `pre` keeps its own lines. Rows that lay out the page, with many lines in a cell, keep them. Entities
/// are decoded. Left out are comments, scripts, styles, forms, embedded media, what is hidden, and what surrounds the
/// content: nav, aside, footer, and header outside of articles. Accepts any bytes: broken markup is read as the HTML
/// standard says. Takes time in proportion to the page.
/// If `headings` is given, the lines that are headings are added to it, in order.
std::string html_text(std::string_view html, std::vector<HeadingMark>* headings = nullptr);

/// The title in the head of a page; empty if it has none.
std::string html_title(std::string_view html);

}  // namespace tinyllm::documents
