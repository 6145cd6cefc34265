#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

namespace tinyllm {

/// An enum whose enumerators count from 0, with one table of names beside it:
///   enum class Schedule { cosine, linear };
///   constexpr auto names(Schedule) { return std::array{"cosine", "linear"}; }
template <class E>
concept Named = std::is_enum_v<E> && requires(E value) {
  names(value).size();
};

template <Named E>
constexpr const char* name_of(E value) {
  return names(value)[static_cast<size_t>(value)];
}

/// Every enumerator, in order.
template <Named E>
constexpr auto all_of() {
  std::array<E, names(E{}).size()> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<E>(i);
  return all;
}

/// The enumerator of this name; none if there is no such name.
template <Named E>
constexpr std::optional<E> parse_name(std::string_view name) {
  for (const E value : all_of<E>()) {
    if (name == name_of(value)) return value;
  }
  return std::nullopt;
}

}  // namespace tinyllm
