// How every reply is written. Only for sources that may include nlohmann/json.
#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace tinyllm {

/// Fields stay in the order in which they were written.
using OrderedJson = nlohmann::ordered_json;

/// In one line. Bytes that are not UTF-8 become U+FFFD: a reply never fails because of what it quotes.
template <class AnyJson>
std::string text_of(const AnyJson& json) {
  return json.dump(-1, ' ', false, AnyJson::error_handler_t::replace);
}

/// A field whose value is JSON text already, as an object.
inline std::string field_text(std::string_view name, std::string_view value) {
  std::string text = "{\"";
  return text.append(name).append("\":").append(value).append("}");
}

/// One object with the fields of several, none of which is empty.
inline std::string joined_objects(std::initializer_list<std::string_view> objects) {
  std::string text = "{";
  for (const std::string_view object : objects) {
    text.append(text.size() > 1 ? "," : "").append(object.substr(1, object.size() - 2));
  }
  return text += "}";
}

}  // namespace tinyllm
