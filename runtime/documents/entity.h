#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tinyllm::documents {

/// A character as HTML 5 names it, `&eacute;`, or numbers it, `&#233;` or `&#xE9;`.
struct Entity {
  char32_t character = 0;
  char32_t second = 0;  ///< Some names are of two characters, such as `&nvle;`; 0 for others.
  size_t size = 0;      ///< Of its name with & and ; in bytes.
};

/// The entity at the front of a text that begins with &. The numbers 128 to 159 are those of windows-1252, as in
/// browsers; tabs and line feeds are blanks. None where the text has none, where its ; is missing, and for control
/// characters and numbers without a character.
std::optional<Entity> parse_entity(std::string_view text);

}  // namespace tinyllm::documents
