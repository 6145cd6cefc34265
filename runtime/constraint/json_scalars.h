// Strings, numbers and enumerated values, byte by byte. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_frame.h>
#include <tinyllm/runtime/constraint/json_grammar.h>

namespace tinyllm {

/// What a byte does to a value that is open.
enum class ByteEffect : uint8_t {
  none,   ///< It cannot follow.
  moved,  ///< It was read.
  ended   ///< It was read and ends the value.
};

/// Reads a byte of a node that is words, a string, a number or a decimal; of a document, one of its beginnings. The
/// frame is unspecified after `none`.
ByteEffect read_scalar(const JsonGrammar::Node& node, JsonFrame& frame, unsigned char byte);

/// Fewest bytes that end such a value. 0: it may end here, before whatever follows.
int64_t shortest_rest(const JsonGrammar::Node& node, const JsonFrame& frame);

/// Inside a string, between two characters.
bool is_between_characters(const JsonFrame& frame);

}  // namespace tinyllm
