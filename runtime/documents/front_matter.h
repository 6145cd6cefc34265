#pragma once

#include <string>
#include <string_view>

namespace tinyllm::documents {

/// Removes front matter, the settings that site generators read before the text of a page: lines of YAML between `---`
/// (or `---` and `...`), of TOML between `+++`, or an object of JSON. It is found at the beginning of a document, after
/// blank lines and after a document break too; within a text, where several pages are joined, only when one of its
/// settings has a usual name such as `title`. Rules, which are a `---` too, and examples between fences (```) stay.
/// `opens_document` is whether the text begins a document. Line feeds stay, so that line numbers do not change. Takes
/// time in proportion to the text.
void remove_front_matter(std::string& text, bool opens_document);

/// The title that the front matter of a document gives it; empty if there is none, or one over several lines.
std::string front_matter_title(std::string_view text);

}  // namespace tinyllm::documents
