// One document of any format through cleaning.
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/clean.h>

#include "fuzz/fuzz.h"

using namespace tinyllm::corpus;

void tinyllm::test::fuzz(std::string_view bytes) {
  static const Cleaner cleaner([] {
    CleanOptions options;
    options.mask = {.email = true, .phone = true, .id = true};
    options.near = NearUnit::paragraphs;
    return options;
  }());
  Bytes in(bytes);
  Piece piece;
  piece.format = static_cast<TextFormat>(in.take<uint8_t>() % 4);
  piece.text = replace_invalid_utf8(in.rest());
  piece.opens_document = piece.closes_document = true;
  const CleanPiece clean = cleaner.clean(std::move(piece));
  require(valid_utf8(clean.text) == clean.text.size());
  for (const CleanDocument& document : clean.documents) {
    for (const CleanParagraph& p : document.paragraphs) require(p.begin + p.size <= clean.text.size());
  }
}
