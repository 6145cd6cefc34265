#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tinyllm {

/// A character as HTML names it, `&eacute;`, or numbers it, `&#233;` or `&#xE9;`.
struct Entity {
  char32_t character = 0;
  size_t size = 0;  ///< Of its name with & and ; in bytes.
};

/// The entity at the front of a text that begins with &; none where there is none, or one of a control character or of
/// no character.
std::optional<Entity> parse_entity(std::string_view text);

}  // namespace tinyllm
