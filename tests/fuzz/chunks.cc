// A document of any text, cut into chunks of any size.
#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/runtime/documents/document_writer.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

#include "fuzz/fuzz.h"

using namespace tinyllm;

void tinyllm::test::fuzz(std::string_view bytes) {
  Bytes in(bytes);
  const int64_t characters = 16 + in.take<uint8_t>();
  Document document;
  documents::DocumentWriter out(document, 1 << 20);
  const std::string all = replace_invalid_utf8(in.rest());
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const bool is_heading = line.starts_with('#');
    const bool is_row = line.find('\t') != std::string_view::npos;
    out.begin(is_heading ? Paragraph::Kind::heading
              : is_row   ? Paragraph::Kind::row
                         : Paragraph::Kind::text,
              is_heading ? 1 + static_cast<int>(line.size() % 3) : 0);
    out.append(line);
  }
  out.end();
  size_t end = 0;
  for (const Chunk& chunk : chunks_of(document, {.characters = characters})) {
    require(chunk.offset >= end && chunk.length > 0);
    end = chunk.offset + chunk.length;
    require(end <= document.text.size());
    const std::string quote = document.text.substr(chunk.offset, chunk.length);
    require(valid_utf8(quote) == quote.size());
    require(count_of_characters(quote) <= 16 * characters);
  }
}
