#pragma once

#include <tinyllm/tensor/base/range.h>

#include <fmt/format.h>

#include <tuple>
#include <type_traits>

namespace tinyllm {

/// A field of a struct, declared once in a list: what reads, writes, checks, shows or sets all fields visits the list.
template <class Struct, class T>
struct Field {
  const char* name;
  T Struct::*member;
  const char* meaning;  ///< A sentence, for the help of an option.
  Range range = {};     ///< Of a number.
};

template <class Struct, class T>
constexpr Field<Struct, T> field(const char* name, T Struct::*member, const char* meaning, Range range = {}) {
  return {name, member, meaning, range};
}

/// Calls f(field) for each field of a tuple of them, in order.
template <class Fields, class F>
constexpr void for_each_field(const Fields& fields, F&& f) {
  std::apply([&](const auto&... each) { (f(each), ...); }, fields);
}

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

/// Calls f(name, "0, expected 1 to 8") for each number that is not in its range.
template <class Struct, class Fields, class F>
void for_each_problem(const Struct& values, const Fields& fields, F&& f) {
  for_each_field(fields, [&]<class T>(const Field<Struct, T>& field) {
    if constexpr (is_number<T>) {
      const T value = values.*field.member;
      if (field.range.contains(static_cast<double>(value))) return;
      f(field.name, fmt::format("{}, expected {}", value, description_of(field.range, std::is_integral_v<T>)));
    }
  });
}

}  // namespace tinyllm
