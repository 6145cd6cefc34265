#include <tinyllm/runtime/documents/document.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/document_writer.h>
#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/runtime/documents/printable.h>
#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

#include <algorithm>
#include <iterator>

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

void set_title(Document& document, const std::filesystem::path& path) {
  if (!document.title.empty()) return;
  const auto heading = std::find_if(document.paragraphs.begin(), document.paragraphs.end(),
                                    [](const Paragraph& p) { return p.kind == Paragraph::Kind::heading; });
  document.title = heading == document.paragraphs.end() ? documents::printable(path.stem())
                                                        : document.text.substr(heading->offset, heading->length);
}

}  // namespace

Document read_document(const std::filesystem::path& path, const DocumentLimits& limits) {
  const std::string bytes = read_file(path, limits.file_bytes);
  Document document;
  DocumentWriter out(document, limits.text_bytes);
  try {
    const Decoded decoded = decode(bytes);
    documents::read_plain_text(decoded.text, decoded.source, out);
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
