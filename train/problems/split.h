// What is held out. For the files of this folder alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm::problems {

/// Whether a text is one of those, one in `every`, that are held out. The same on all machines and for ever.
bool is_held_out(std::string_view text, uint64_t every);

/// Whether an operation on the result of another one is held out.
bool is_pair_held_out(const std::string& first, const std::string& second);

}  // namespace tinyllm::problems
