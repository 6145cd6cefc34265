#pragma once

#include <tinyllm/runtime/documents/html.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::documents {

/// The prose of a text in Markdown (CommonMark with the usual additions), one line per line. Headings, items (after
/// "- " or their number), quotes, rows of tables (cells after tabs) and code are kept without their marks, links as
/// their words. Code keeps its indentation. Left out are tags and comments of HTML, scripts and styles
/// with their content, images, targets of links, numbers of notes, shortcodes ({{< >}}, {% %}, :::) and rules. Entities
/// are decoded. Marks count only in pairs around words: "a < b", "2 * 3", "f[i](x)" and "__init__" stay. Accepts any
/// bytes. Takes time in proportion to the text.
/// If `headings` is given, the lines that are headings are added to it, in order: those after # and those over a line
/// of = or -.
std::string markdown_text(std::string_view markdown, std::vector<HeadingMark>* headings = nullptr);

/// Whether a text that does not say so is Markdown: it has links, images or code, and marks of Markdown often enough.
bool looks_like_markdown(std::string_view beginning);

}  // namespace tinyllm::documents
