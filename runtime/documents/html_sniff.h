#pragma once

#include <string_view>

namespace tinyllm::documents {

/// Whether a text begins with <!DOCTYPE html or <html, after blanks.
bool begins_as_html(std::string_view text);

/// Whether a text is HTML, perhaps cut at both ends, and not a text about HTML: most of its lines begin with a tag, or
/// tags, scripts and styles are half of it. Takes time in proportion to the text.
bool looks_like_html(std::string_view text);

/// The page without the rest of a script, a style or a tag that a cut left at its beginning.
std::string_view without_cut_beginning(std::string_view html);

}  // namespace tinyllm::documents
