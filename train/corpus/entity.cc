#include <tinyllm/train/corpus/entity.h>

#include <libxml/HTMLparser.h>
#include <unicode/utf.h>

#include <charconv>
#include <string>

namespace tinyllm {

std::optional<Entity> parse_entity(std::string_view text) {
  constexpr size_t kLongest = 12;
  const size_t end = text.substr(0, kLongest).find(';');
  if (end == std::string_view::npos || end < 2) return std::nullopt;
  const std::string name(text.substr(1, end - 1));
  if (name[0] != '#') {
    const htmlEntityDesc* entity = htmlEntityLookup(reinterpret_cast<const xmlChar*>(name.c_str()));
    if (entity == nullptr) return std::nullopt;
    return Entity{entity->value, end + 1};
  }
  const bool is_hex = name.size() > 1 && (name[1] | 0x20) == 'x';
  const char* digits = name.data() + (is_hex ? 2 : 1);
  const char* last = name.data() + name.size();
  uint32_t value = 0;
  const auto [stop, error] = std::from_chars(digits, last, value, is_hex ? 16 : 10);
  if (error != std::errc() || stop != last || value < ' ' || !U_IS_UNICODE_CHAR(value)) return std::nullopt;
  return Entity{value, end + 1};
}

}  // namespace tinyllm
