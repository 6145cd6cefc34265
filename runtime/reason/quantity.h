// Numbers with units in plain text. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/answer.h>

#include <optional>
#include <string_view>

namespace tinyllm {

struct Quantity {
  size_t begin = 0;
  size_t end = 0;
  /// Nothing: what begins here has digits but is no number, as 3.5.1, 1/0 and 2+2.
  std::optional<Rational> value = {};
  AnswerUnit unit = {};
};

/// The number that begins at `at`, with its sign and its unit: -3/5, 13又5/6, 百分之十二点五,
/// 七五折, 1.2万元, 1.2×10^3, 0.(3), 3元5角, 35块5, 两个半小时. Nothing if no number begins there.
std::optional<Quantity> quantity_at(std::u32string_view text, size_t at);

}  // namespace tinyllm
