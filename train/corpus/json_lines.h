#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Reads lines of JSON, the first of which has number `line`. Of each, calls `take` with the texts of those `fields`
/// that are there, in the order of `fields`, one below the other. Blank lines are passed over. For a line that is no
/// JSON (cut in half, a comma too many), or no object with such a field that holds a string, calls `bad` with the rule
/// and the line. `text` gets room for the parser behind its end.
void read_json_lines(std::string& text, int64_t line, const std::vector<std::string>& fields,
                     const std::function<void(std::string_view rule, int64_t number, std::string_view line)>& bad,
                     const std::function<void(std::string_view text, int64_t number)>& take);

}  // namespace tinyllm
