// How every reply is written. Only for sources that may include nlohmann/json.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace tinyllm {

/// Fields stay in the order in which they were written.
using OrderedJson = nlohmann::ordered_json;

/// In one line. Bytes that are not UTF-8 become U+FFFD: a reply never fails because of what it quotes.
template <class AnyJson>
std::string text_of(const AnyJson& json) {
  return json.dump(-1, ' ', false, AnyJson::error_handler_t::replace);
}

}  // namespace tinyllm
