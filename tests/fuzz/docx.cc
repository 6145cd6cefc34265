// The bytes of a DOCX file, or the XML of one in an archive that is whole.
#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/runtime/documents/docx_reader.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"
#include "runtime/documents/make_docx.h"

using namespace tinyllm;

void tinyllm::test::fuzz(std::string_view bytes) {
  Bytes in(bytes);
  std::string archive(bytes);
  if (!bytes.starts_with("PK")) {
    // The parts are apart by NULs.
    Files parts;
    std::string_view rest = in.rest();
    for (const char* name : {"word/document.xml", "word/styles.xml", "word/numbering.xml", "word/footnotes.xml"}) {
      const std::string_view part = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      if (!part.empty()) parts.emplace_back(name, part);
    }
    archive = make_zip(parts);
  }
  Document document;
  may_refuse([&] {
    documents::DocumentWriter out(document, 1 << 20);
    documents::read_docx(archive, document, out);
    require(valid_utf8(document.text) == document.text.size());
    for (const Chunk& chunk : chunks_of(document)) require(chunk.offset + chunk.length <= document.text.size());
  });
}
