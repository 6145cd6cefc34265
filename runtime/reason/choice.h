// Letters of options in answers. For the files of this folder alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyllm {

/// The letters that a plain text chooses, sorted: "B" of B, (b), B. 苹果 and B项; "AC" of AC, "A, C" and A和C. Nothing
/// if it chooses none. Options are
/// A to J and ① to ⑩; "A或B" chooses none.
std::optional<std::string> choice_of(std::u32string_view text);

}  // namespace tinyllm
