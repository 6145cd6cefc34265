// Numbers without units in plain text. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <optional>
#include <string_view>

namespace tinyllm {

struct WrittenNumber {
  size_t end = 0;
  std::optional<Rational> value = {};  ///< Nothing: it has the digits of a number but is none, as 1/0.
};

/// The number that begins at `at`, without a sign before it. Nothing if none does.
std::optional<WrittenNumber> written_number(std::u32string_view text, size_t at);

}  // namespace tinyllm
