#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// Reads lines of JSON, the first of which has number `line`; a line ends with LF, CR or both. For each line, calls
/// `take` with the values of those `fields` that it has, in the order of `fields`, joined by line feeds. Numbers of any
/// size and halves of surrogate pairs are accepted (json_repair.h). Blank lines are skipped. For a line that is not
/// JSON (cut off, a comma too many), or not an object with a string in one of the fields, calls `bad` with the rule and
/// the line. `text` grows by the padding that the parser needs after its end.
void read_json_lines(std::string& text, int64_t line, const std::vector<std::string>& fields,
                     const std::function<void(std::string_view rule, int64_t number, std::string_view line)>& bad,
                     const std::function<void(std::string_view text, int64_t number)>& take);

}  // namespace tinyllm::corpus
