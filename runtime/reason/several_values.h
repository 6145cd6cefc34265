// Answers of several numbers. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/answer.h>

#include <optional>
#include <string_view>

namespace tinyllm {

/// The ratio, tuple, set or quotient with remainder that all of a plain text is: 2:4:6, (2,3), {2,3}, 2和3, x=3 or x=7,
/// ±3, 5余3. A set of one is a number. Numbers of different variables (x=2, y=3) are a symbol.
std::optional<NormalAnswer> several_values(std::u32string_view text);

}  // namespace tinyllm
