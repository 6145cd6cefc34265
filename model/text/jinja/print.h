#pragma once

#include <tinyllm/model/text/jinja/value.h>

namespace tinyllm::jinja {

/// Python's str(), which `{{ value }}` prints. An undefined value prints nothing. Throws Error for a value that Python
/// prints as an address, such as a generator.
Value to_text(const Value& value, Budget& budget);

/// The options of Python's json.dumps, which `tojson` follows.
struct JsonStyle {
  int indent = -1;  ///< Blanks per level; negative: all in one line.
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
/// Throws Error for a value that JSON cannot express.
Value to_json(const Value& value, const JsonStyle& style, Budget& budget);

/// repr() of a float: the fewest digits that parse to the same number.
std::string float_text(double number);

}  // namespace tinyllm::jinja
