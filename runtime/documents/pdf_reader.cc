#include <tinyllm/runtime/documents/pdf_reader.h>

#include <tinyllm/runtime/documents/child_process.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm::documents {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The first line that says what is wrong.
std::string_view reason(std::string_view errors) {
  const std::string_view line = errors.substr(0, errors.find('\n'));
  return line.empty() ? "no reason given" : line;
}

}  // namespace

void read_pdf(int file, const DocumentLimits& limits, Document& document, DocumentWriter& out) {
  const std::vector<std::string> command = {"pdftotext", "-bbox-layout",           "-enc",
                                            "UTF-8",     std::string(kChildInput), "-"};
  const ChildResult result =
      run_child(command, "poppler-utils", file, {.seconds = limits.seconds, .memory = limits.child_memory});
  if (has(result.errors, "Incorrect password")) throw Error("is encrypted: a password is needed to read it");
  if (result.exit_code == 3) throw Error("does not allow its text to be copied");
  if (has(result.errors, "Missing language pack")) {
    throw TemporaryError("needs tables of characters that are not installed: install the package poppler-data");
  }
  if (result.exit_code != 0) {
    throw Error("cannot be read by pdftotext (exit code {}): {}", result.exit_code, reason(result.errors));
  }
  if (!result.is_without_network) {
    document.notes.emplace_back("pdftotext was run with access to the network: the system does not allow to remove it");
  }
  write_pages(read_bbox_layout(result.output), document, out);
}

}  // namespace tinyllm::documents
