#pragma once

#include <string>
#include <string_view>

namespace tinyllm::documents {

/// The readable text of a page in UTF-8, one paragraph per line. Headings, paragraphs, items (after "- ") and rows of
/// tables (cells after tabs) are lines. Within a line, blanks and line feeds become one blank, or none between Chinese
/// characters; `pre` keeps its own lines. Rows that lay out the page, with many lines in a cell, keep them. Entities
/// are decoded. Left out are comments, scripts, styles, forms, embedded media, what is hidden, and what surrounds the
/// content: nav, aside, footer, and header outside of articles. Accepts any bytes: broken markup is read as the HTML
/// standard says. Takes time in proportion to the page.
std::string html_text(std::string_view html);

}  // namespace tinyllm::documents
