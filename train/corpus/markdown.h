#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// The prose of a text in Markdown (CommonMark with the usual additions), its lines as they were. Headings, items
/// (after "- " or their number), quotes, rows of tables (cells after tabs) and code are kept without their marks, links
/// as their words. Left out are front matter, tags and comments of HTML, scripts and styles with what is in them,
/// images, targets of links, notes' numbers, shortcodes ({{< >}}, {% %}, :::) and rules. Entities are decoded. Marks
/// are taken for such only where they come in pairs and around words: "a < b", "2 * 3", "f[i](x)" and "__init__" stay.
/// Any bytes will do. Takes time in proportion to the text.
std::string markdown_text(std::string_view markdown);

}  // namespace tinyllm
