#pragma once

#include <tinyllm/model/text/jinja/value.h>

namespace tinyllm::jinja {

/// Python's str(): what `{{ value }}` prints. Nothing for an undefined value. Throws Error for a value that prints as
/// an address in Python, as a generator does.
Value to_text(const Value& value, Budget& budget);

/// How `tojson` prints: as json.dumps of Python does.
struct JsonStyle {
  int indent = -1;  ///< Blanks for each level; all in one line when negative.
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
/// Throws Error for a value that JSON does not have.
Value to_json(const Value& value, const JsonStyle& style, Budget& budget);

/// repr() of a float: the shortest digits that read as the same number.
std::string float_text(double number);

}  // namespace tinyllm::jinja
