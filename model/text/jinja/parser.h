#pragma once

#include <tinyllm/model/text/jinja/ast.h>

namespace tinyllm::jinja {

/// The deepest nesting of blocks and expressions in a template.
inline constexpr int kMaxNesting = 100;

struct Program {
  Block block;
  bool has_generation = false;  ///< Whether the template marks answers with `{% generation %}`.
};

/// Throws Error that names the line and what is wrong or not supported.
Program parse(std::string_view source);

}  // namespace tinyllm::jinja
