#include <tinyllm/runtime/documents/document.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/doc_reader.h>
#include <tinyllm/runtime/documents/document_writer.h>
#include <tinyllm/runtime/documents/docx_reader.h>
#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/runtime/documents/front_matter.h>
#include <tinyllm/runtime/documents/html.h>
#include <tinyllm/runtime/documents/html_sniff.h>
#include <tinyllm/runtime/documents/markdown.h>
#include <tinyllm/runtime/documents/pdf_reader.h>
#include <tinyllm/runtime/documents/printable.h>
#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace tinyllm {
namespace {

using documents::DocumentWriter;

// The text of a file in any encoding, and the byte at which it begins if the bytes stay as they are.
struct Decoded {
  std::string text;
  int64_t source = -1;
};

Decoded decode(const std::string& bytes) {
  const documents::Encoding encoding = documents::detect_encoding(bytes);
  if (encoding == documents::Encoding::binary)
    throw Error("is not text in an encoding that is known, and not a document");
  documents::Decoder decoder(encoding);
  Decoded decoded;
  decoder.decode(bytes, decoded.text);
  decoder.finish(decoded.text);
  if (encoding == documents::Encoding::utf8 && decoder.undecodable() == 0) {
    decoded.source = static_cast<int64_t>(bytes.size() - decoded.text.size());  // A byte order mark is left out.
  }
  return decoded;
}

std::string read_bytes(const RandomAccessFile& file, size_t most = SIZE_MAX) {
  std::string bytes(std::min(static_cast<size_t>(file.size()), most), '\0');
  file.read(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

DocumentFormat format_of_text(const std::filesystem::path& path, std::string_view text) {
  constexpr size_t kBeginning = size_t{256} << 10;
  const std::string extension = documents::lower_case(std::string_view(path.extension().native()));
  if (extension == ".md" || extension == ".markdown") return DocumentFormat::markdown;
  if (extension == ".html" || extension == ".htm" || extension == ".xhtml") return DocumentFormat::html;
  const std::string_view beginning = text.substr(0, character_cut(text, kBeginning));
  if (documents::begins_as_html(beginning)) return DocumentFormat::html;
  if (documents::looks_like_markdown(beginning)) return DocumentFormat::markdown;
  return documents::looks_like_html(beginning) ? DocumentFormat::html : DocumentFormat::text;
}

void read_text(const std::filesystem::path& path, const std::string& bytes, const DocumentLimits& limits,
               Document& document, DocumentWriter& out) {
  Decoded decoded = decode(bytes);
  document.format = format_of_text(path, decoded.text);
  const uint64_t most = document.format == DocumentFormat::html ? limits.html_bytes : limits.text_bytes;
  if (decoded.text.size() > most) {
    throw Error("has {} MB of {}, expected at most {}", decoded.text.size() >> 20, name_of(document.format),
                most >> 20);
  }
  if (document.format == DocumentFormat::text) return documents::read_lines(decoded.text, decoded.source, {}, {}, out);
  std::vector<documents::HeadingMark> headings;
  if (document.format == DocumentFormat::html) {
    document.title = documents::html_title(decoded.text);
    const std::string text = documents::html_text(decoded.text, &headings);
    return documents::read_lines(text, -1, headings, {.joins = false, .finds_chapters = false}, out);
  }
  document.title = documents::front_matter_title(decoded.text);
  documents::remove_front_matter(decoded.text, true);
  const std::string text = documents::markdown_text(decoded.text, &headings);
  documents::read_lines(text, -1, headings, {.finds_chapters = headings.empty()}, out);
}

// A file of an older Office, which is also what newer ones wrap encrypted files in.
void read_old_office(const RandomAccessFile& file, const DocumentLimits& limits, Document& document,
                     DocumentWriter& out) {
  constexpr std::string_view kWord("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t", 23);
  constexpr std::string_view kEncrypted("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", 31);
  const std::string bytes = read_bytes(file);
  if (bytes.find(kEncrypted) != std::string::npos) throw Error("is encrypted: a password is needed to read it");
  if (bytes.find(kWord) == std::string::npos) throw Error("is a file of Office without a document of Word in it");
  document.format = DocumentFormat::doc;
  documents::read_doc(file.descriptor(), limits, document, out);
}

void read(const std::filesystem::path& path, const RandomAccessFile& file, const DocumentLimits& limits,
          Document& document) {
  constexpr size_t kFront = 1024;  // A PDF may begin anywhere in it.
  DocumentWriter out(document, limits.text_bytes);
  const std::string front = read_bytes(file, kFront);
  if (front.empty()) throw Error("is empty");
  if (front.find("%PDF-") != std::string::npos) {
    document.format = DocumentFormat::pdf;
    return documents::read_pdf(file.descriptor(), limits, document, out);
  }
  if (front.starts_with("PK\x03\x04") || front.starts_with("PK\x05\x06")) {
    document.format = DocumentFormat::docx;
    return documents::read_docx(read_bytes(file), document, out);
  }
  if (front.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")) return read_old_office(file, limits, document, out);
  if (front.starts_with("{\\rtf")) throw Error("is RTF, which is not read: save it as .docx");
  const std::string extension = documents::lower_case(std::string_view(path.extension().native()));
  if (extension == ".pdf" || extension == ".docx" || extension == ".doc") {
    throw Error("is not the {} file that its name says: it is damaged, or in another format", extension);
  }
  read_text(path, read_bytes(file), limits, document, out);
}

void set_title(Document& document, const std::filesystem::path& path) {
  if (!document.title.empty()) return;
  const auto heading = std::find_if(document.paragraphs.begin(), document.paragraphs.end(),
                                    [](const Paragraph& p) { return p.kind == Paragraph::Kind::heading; });
  document.title = heading == document.paragraphs.end() ? documents::printable(path.stem())
                                                        : document.text.substr(heading->offset, heading->length);
}

}  // namespace

Document read_document(const std::filesystem::path& path, const DocumentLimits& limits) {
  Document document;
  try {
    const RandomAccessFile file(path);
    if (file.size() > limits.file_bytes) {
      throw Error("has {} MB, expected at most {}", file.size() >> 20, limits.file_bytes >> 20);
    }
    read(path, file, limits, document);
  } catch (const TemporaryError& error) {
    throw TemporaryError("{}: {}", documents::printable(path), error.what());
  } catch (const Error& error) {
    throw Error("{}: {}", documents::printable(path), error.what());
  }
  set_title(document, path);
  return document;
}

Place place_at(const Document& document, size_t offset) {
  const auto after = std::upper_bound(document.places.begin(), document.places.end(), offset,
                                      [](size_t at, const Place& place) { return at < place.offset; });
  if (after == document.places.begin()) return {offset};
  Place place = *std::prev(after);
  if (place.source >= 0) place.source += static_cast<int64_t>(offset - place.offset);
  place.offset = offset;
  return place;
}

size_t paragraph_at(const Document& document, size_t offset) {
  const auto found = std::partition_point(document.paragraphs.begin(), document.paragraphs.end(),
                                          [&](const Paragraph& p) { return p.offset + p.length <= offset; });
  return static_cast<size_t>(found - document.paragraphs.begin());
}

std::vector<std::string> headings_above(const Document& document, size_t paragraph) {
  std::vector<std::string> headings;
  const auto at =
      document.paragraphs.begin() + static_cast<std::ptrdiff_t>(std::min(paragraph, document.paragraphs.size()));
  int level = at != document.paragraphs.end() && at->kind == Paragraph::Kind::heading ? at->level : 10;
  for (auto p = at; p != document.paragraphs.begin() && level > 1;) {
    --p;
    if (p->kind != Paragraph::Kind::heading || p->level >= level) continue;
    level = p->level;
    headings.push_back(document.text.substr(p->offset, p->length));
  }
  std::reverse(headings.begin(), headings.end());
  return headings;
}

}  // namespace tinyllm
