// What a program writes about the pages of a PDF file.
#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/runtime/documents/pdf_reader.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

using namespace tinyllm;

void tinyllm::test::fuzz(std::string_view bytes) {
  Document document;
  may_refuse([&] {
    documents::DocumentWriter out(document, 1 << 20);
    documents::write_pages(documents::read_bbox_layout(bytes), document, out);
    require(valid_utf8(document.text) == document.text.size());
    for (const Chunk& chunk : chunks_of(document)) {
      require(chunk.offset + chunk.length <= document.text.size());
      require(chunk.last_page <= document.pages);
    }
  });
}
