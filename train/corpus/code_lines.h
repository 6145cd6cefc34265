#pragma once

#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// For each line of a text (lines.h): whether it is code that is indented by at least two blanks or a tab. Lines are
/// judged in blocks: a block is a line that is not indented and the indented lines after it. A block is code when at
/// least half of its indented lines look like it: calls, assignments, operators, comments, keywords, settings such as
/// `name: value`. Prose whose lines are indented, poems and lists are not code. Empty when no line is code.
std::vector<bool> code_lines(std::string_view text);

/// The blanks and tabs at the front of a line.
std::string_view indentation(std::string_view line);

}  // namespace tinyllm::corpus
