#pragma once

#include <string>
#include <string_view>

namespace tinyllm::cli {

/// A text for a terminal: control characters other than line feed and tab, also U+0080 to U+009F, become visible as
/// `\x1b`. Whoever wrote the text can then not move the cursor, set the title or type commands.
std::string printable(std::string_view text);

/// Prints to stdout: `printable` on a terminal, every byte as it is on a pipe or into a file.
void print_text(std::string_view text);

/// Writes out what stdout still buffers. Throws Error with the reason when not all of the output could be written;
/// every program calls it at its end.
void flush_output();

}  // namespace tinyllm::cli
