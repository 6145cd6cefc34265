#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// The readable text of a page in UTF-8, a paragraph a line. Headings, paragraphs, items (after "- ") and rows of
/// tables (cells after tabs) are lines; within one, blanks and line feeds are one blank, or none between Chinese
/// characters; `pre` keeps its own lines. Entities are decoded. Left out are the head, comments, scripts, styles,
/// forms, embedded media, what is hidden, and what stands around the text: nav, aside, footer, and header outside of
/// articles. Any bytes will do: broken markup is read as browsers do, or nearly so. Takes time in proportion to the
/// page.
std::string html_text(std::string_view html);

}  // namespace tinyllm
