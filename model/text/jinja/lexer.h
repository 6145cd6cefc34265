#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::jinja {

struct Token {
  enum class Kind : uint8_t {
    data,
    output_begin,
    output_end,
    tag_begin,
    tag_end,
    name,
    string,
    integer,
    real,
    op,
    end
  };

  Kind kind;
  std::string text;  ///< A string is without its quotes and escapes.
  int line;
};

/// The tokens of a template; the last has the kind `end`. Blanks around tags are removed as with Jinja's trim_blocks
/// and lstrip_blocks. One line feed at the end of the template is removed too. Throws Error that names the line.
std::vector<Token> tokenize(std::string_view source);

}  // namespace tinyllm::jinja
