// One level of what a matcher has open. For the files of this folder alone.
#pragma once

#include <cstdint>

namespace tinyllm {

/// What the fields mean depends on the kind of the node. Has no padding: its bytes are a key of masks.
struct JsonFrame {
  uint32_t node = 0;
  uint32_t at = 0;        ///< Which word or property; of a string: the code unit of an escape, or the lead byte.
  int64_t count = 0;      ///< Items, characters, digits or the magnitude; of an object: the next property.
  uint32_t position = 0;  ///< Bytes of a word; of a string: what is left of a character.
  uint16_t phase = 0;     ///< 0: nothing was read.
  uint16_t space = 0;     ///< White space just read: 1 is a blank, 2 + n a line feed and n blanks.

  bool operator==(const JsonFrame&) const = default;
};
static_assert(sizeof(JsonFrame) == 24);

}  // namespace tinyllm
