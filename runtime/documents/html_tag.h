#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tinyllm::documents {

struct HtmlTag {
  std::string name;  ///< In lower case; empty for a tag that the end of the page cuts off.
  size_t size = 0;   ///< In bytes, from `<` to `>`.
  bool closes = false;
  bool closes_itself = false;
  bool is_hidden = false;  ///< Its attributes say that readers do not see the element, or that it is not the content.
};

/// Parses the tag that begins with the `<` at the front of a text, as the HTML standard does. Nullopt if this `<` is an
/// ordinary character.
std::optional<HtmlTag> parse_html_tag(std::string_view text);

/// The size of the comment at the front of a text, or of what browsers treat as one; 0 if there is none.
size_t html_comment_size(std::string_view text);

/// The size of the content of an element in which markup is text, up to its end tag or the end of `html`, which begins
/// after the start tag. A script within a comment within a script has its own end tag.
size_t html_raw_text_size(std::string_view html, std::string_view name);

/// Whether elements of this name have no content and no end tag.
bool is_void_element(std::string_view name);

}  // namespace tinyllm::documents
