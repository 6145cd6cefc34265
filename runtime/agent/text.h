#pragma once

#include <tinyllm/runtime/agent/plan.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// The text of a file as UTF-8. `encoding` is utf-8 or gb18030; `name` is for messages. Throws AgentError with
/// `encoding` when the bytes are something else.
std::string decoded(std::string_view bytes, std::string_view encoding, std::string_view name);
/// The bytes of a text. Throws AgentError with `encoding` for a character that the encoding lacks.
std::string encoded(std::string_view text, std::string_view encoding, std::string_view name);

/// The text after all edits, in order. Throws AgentError with `not_found` when the text to replace is not there.
/// `notes` receives what a reader should know, such as that more places are left.
std::string edited(std::string text, const std::vector<Edit>& edits, std::string_view name,
                   std::vector<std::string>& notes);

/// The text with ` [tag]` at the end of its first line if that is a heading `# ...`, else with a line `# [tag]` before
/// the rest; front matter stays in front. Line ends stay as they are. None if the tag is there already.
std::optional<std::string> tagged(std::string_view text, std::string_view tag);

/// Bytes of a file in which a word is looked for.
inline constexpr size_t kSearched = size_t{1} << 20;
/// Whether the first kSearched bytes of a file have a word. Never in a binary file.
bool text_contains(std::string_view beginning, std::string_view word);
/// Whether a file that begins so is binary.
bool looks_binary(std::string_view beginning);

}  // namespace tinyllm::agent
