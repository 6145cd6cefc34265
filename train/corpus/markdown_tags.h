#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// Markdown without what is no Markdown in it: tags of HTML, comments, scripts and styles with what is in them, and
/// shortcodes. Tags that end a line of text become line feeds. A name that HTML does not have makes a tag only where it
/// closes something or stands alone on its line, as components of pages do: "vector<int>" stays. So does what is in
/// back quotes.
std::string without_tags(std::string_view markdown);

}  // namespace tinyllm
