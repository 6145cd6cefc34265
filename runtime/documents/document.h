#pragma once

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/names.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tinyllm {

enum class DocumentFormat { text, markdown, html, docx, doc, pdf };
constexpr auto names(DocumentFormat) { return std::array{"text", "Markdown", "HTML", "DOCX", "DOC", "PDF"}; }

/// One paragraph, heading or row of a table: a line of a document's text.
struct Paragraph {
  enum class Kind {
    text,
    heading,
    row,  ///< Of a table, or any line with tabs between its parts: never cut.
  };
  size_t offset = 0;  ///< In bytes of the text, as everywhere.
  size_t length = 0;  ///< Without the line feed.
  Kind kind = Kind::text;
  int level = 0;  ///< Of a heading: 1 for chapters, up to 9; else 0.
};

/// Where the text from `offset` to the next place was found in the file.
struct Place {
  size_t offset = 0;
  int page = 0;         ///< From 1; 0 in formats without pages.
  int64_t source = -1;  ///< The byte of the file; the bytes after it follow one by one. -1 if the format has none.
};

/// The text of a file, with what is needed to cite it. A citation is a range of bytes of `text`:
/// `text.substr(offset, length)` is what the reader is shown, to the byte.
struct Document {
  DocumentFormat format = DocumentFormat::text;
  std::string title;  ///< As the file says, else its first heading, else its name without the extension.
  std::string text;   ///< UTF-8. Paragraphs are separated by line feeds and have none. No control characters but tabs.
  std::vector<Paragraph> paragraphs;  ///< In the order of the text, none empty.
  std::vector<Place> places;          ///< In the order of the text; the first one is at 0.
  int pages = 0;                      ///< 0 in formats without pages.
  std::vector<int> unreadable_pages;  ///< Pages whose text has to be recognised from an image (OCR). Not in `text`.
  std::vector<std::string> notes;     ///< What a user should know: text that was left out, and why.
};

/// What reading a file may cost at most.
struct DocumentLimits {
  uint64_t file_bytes = uint64_t{256} << 20;
  uint64_t text_bytes = uint64_t{64} << 20;
  uint64_t html_bytes = uint64_t{32} << 20;   ///< Its elements take up to 30 times as much memory.
  int seconds = 60;                           ///< Of the programs that read PDF and DOC,
  uint64_t child_memory = uint64_t{1} << 30;  ///< and of their memory, in bytes.
};

/// Thrown where the machine is at fault and not the file: a program is missing or takes too long, or a disk fails. The
/// same file may be readable later.
class TemporaryError : public Error {
 public:
  using Error::Error;
};

/// Reads a file. Its format follows from its first bytes and its name; text may be in any encoding that
/// `documents::detect_encoding` knows. Throws Error, which names the file, when it cannot be read, is not a document,
/// or reaches a limit; TemporaryError if that is not due to the file.
Document read_document(const std::filesystem::path& path, const DocumentLimits& limits = {});

/// The place of a byte of the text.
Place place_at(const Document& document, size_t offset);

/// The index of the paragraph that holds a byte of the text, or that follows it.
size_t paragraph_at(const Document& document, size_t offset);

/// The headings above a paragraph, the outermost first, without itself.
std::vector<std::string> headings_above(const Document& document, size_t paragraph);

}  // namespace tinyllm
