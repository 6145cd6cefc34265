// Dates, days of the week and times of day in answers. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/answer.h>

#include <optional>
#include <string_view>

namespace tinyllm {

/// The date or time that all of a plain text is: 2024年3月5日, 2024-03-05, 2024/3/5, March 5, 2024, 星期天, Sunday,
/// 8:30, 8时30分, 下午3点半, 3:00 PM. The text of the result is as 2024-03-05, --03-05, weekday 7, 15:00, 15:00:05.
std::optional<NormalAnswer> calendar_answer(std::u32string_view text);

}  // namespace tinyllm
