// Units of measurement in answers. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/answer.h>

#include <optional>
#include <string_view>

namespace tinyllm {

struct FoundUnit {
  size_t end = 0;
  AnswerUnit unit = {};
};

/// The longest unit that begins at `at`: km, 千米, 平方米, m^2, square meters, 千米/时, 元每千克. Nothing if none does:
/// 个 and apples are no units.
std::optional<FoundUnit> unit_at(std::u32string_view text, size_t at);

/// The unit of a sign of currency before a number.
std::optional<FoundUnit> currency_at(std::u32string_view text, size_t at);

/// How many of `to` one of `from` is, where both measure the same.
std::optional<Rational> conversion(const AnswerUnit& from, const AnswerUnit& to);

}  // namespace tinyllm
