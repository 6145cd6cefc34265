// The bytes of a file of a corpus: decompressed, decoded, cut into pieces.
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/pieces.h>

#include "fuzz/fuzz.h"

using namespace tinyllm::corpus;

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  InputFile file;
  file.path = memory.path();
  file.size = static_cast<int64_t>(bytes.size());
  const std::vector<InputFile> files = {file};
  PieceReader reader(files);
  size_t size = 0;
  while (const auto piece = reader.next()) {
    require(valid_utf8(piece->text) == piece->text.size());
    size += piece->text.size();
    if (size > size_t{64} << 20) return;
  }
}
