#pragma once

#include <string>
#include <string_view>

namespace tinyllm::cli {

/// A text that is safe for a terminal: control characters other than line feed and tab, also U+0080 to U+009F, become
/// visible, for example as `\x1b`. The text can then not move the cursor, set the title or type commands.
std::string printable(std::string_view text);

/// Prints to standard output at once: on a terminal as `printable` text, into a pipe or a file unchanged. Throws
/// std::system_error, which `run_main` reports, if writing fails.
void print_text(std::string_view text);

}  // namespace tinyllm::cli
