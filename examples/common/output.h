#pragma once

#include <string>
#include <string_view>

namespace tinyllm::cli {

/// A text for a terminal: control characters other than line feed and tab, also U+0080 to U+009F, become visible as
/// `\x1b`. Whoever wrote the text can then not move the cursor, set the title or type commands.
std::string printable(std::string_view text);

/// Prints to standard output at once: `printable` on a terminal, every byte as it is on a pipe or into a file. Throws
/// std::system_error, which `run_main` reports, when it cannot be written.
void print_text(std::string_view text);

}  // namespace tinyllm::cli
