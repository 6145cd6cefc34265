// How far a text is from being complete. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_stack.h>

namespace tinyllm {

/// Fewest bytes that complete the document, of which a stack is open.
int64_t shortest_closing(const JsonGrammar& grammar, std::span<const JsonFrame> stack);

}  // namespace tinyllm
