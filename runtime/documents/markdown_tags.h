#pragma once

#include <string>
#include <string_view>

namespace tinyllm::documents {

/// Markdown without the parts that are in other languages: tags and comments of HTML, scripts and styles with their
/// content, and shortcodes. Tags that end a line of text become line feeds. An unknown name makes a tag only if the tag
/// closes something or is alone on its line, as components of pages are: "vector<int>" stays. Code in back quotes stays
/// too.
std::string without_tags(std::string_view markdown);

}  // namespace tinyllm::documents
