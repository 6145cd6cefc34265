#pragma once

#include <tinyllm/model/text/jinja/ast.h>

namespace tinyllm::jinja {

/// Deepest nesting of blocks and expressions in a template.
inline constexpr int kMaxNesting = 100;

struct Program {
  Block block;
  bool has_generation = false;  ///< Whether `{% generation %}` says what the assistant writes.
};

/// Throws Error that names the line, and what is not supported.
Program parse(std::string_view source);

}  // namespace tinyllm::jinja
