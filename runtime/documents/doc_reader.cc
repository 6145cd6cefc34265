#include <tinyllm/runtime/documents/doc_reader.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/child_process.h>
#include <tinyllm/runtime/documents/common_characters.h>
#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/error.h>

namespace tinyllm::documents {
namespace {

// Texts of two bytes a character that are read as bytes, and the other way round, become rare characters.
bool is_readable(std::string_view text) {
  int64_t strange = 0;
  int64_t all = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c < 0x80) continue;
    ++all;
    const bool is_rare_han = is_han(c) && !common_characters().has(c);
    if (is_rare_han || c == 0xFFFD || (c >= 0xE000 && c <= 0xF8FF)) ++strange;
  }
  return 4 * strange <= all;
}

}  // namespace

void read_doc(int file, const DocumentLimits& limits, Document& document, DocumentWriter& out) {
  const std::vector<std::string> command = {"catdoc", "-w", "-d", "utf-8", std::string(kChildInput)};
  const ChildResult result =
      run_child(command, "catdoc", file, {.seconds = limits.seconds, .memory = limits.child_memory});
  if (result.errors.find("encrypted") != std::string::npos)
    throw Error("is encrypted: a password is needed to read it");
  if (result.exit_code != 0) {
    throw Error("cannot be read by catdoc (exit code {}): {}", result.exit_code,
                result.errors.substr(0, result.errors.find('\n')));
  }
  const std::string text = replace_invalid_utf8(result.output);
  if (!is_readable(text)) throw Error("catdoc makes no readable text of it; save it as .docx");
  if (!result.is_without_network) {
    document.notes.emplace_back("catdoc was run with access to the network: the system does not allow to remove it");
  }
  read_lines(text, -1, {}, {.joins = false}, out);
}

}  // namespace tinyllm::documents
