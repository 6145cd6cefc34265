#pragma once

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace tinyllm {

/// The byte that a token like "<0x0A>" stands for. A vocabulary of characters has such tokens to encode rare characters
/// as bytes.
inline std::optional<char> fallback_byte(std::string_view token) {
  unsigned byte = 0;
  if (token.size() == 6) std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (token != fmt::format("<0x{:02X}>", byte)) return std::nullopt;
  return static_cast<char>(byte);
}

}  // namespace tinyllm
