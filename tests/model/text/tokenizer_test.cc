#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>

#include "model/text/sample_text.h"
#include "temp_folder.h"

namespace tinyllm::test {

TEST_CASE("a tokenizer is loaded from its folder or its file, as it was saved") {
  const TempFolder folder;
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  tokenizer.save(folder.path());
  for (const std::filesystem::path& path : {folder.path(), folder / "tokenizer.model"}) {
    const std::unique_ptr<Tokenizer> loaded = load_tokenizer(path);
    CHECK(loaded->hash() == tokenizer.hash());
    CHECK(loaded->size() == tokenizer.size());
    CHECK(loaded->encode("计算 12 + 3") == tokenizer.encode("计算 12 + 3"));
  }
  CHECK_THROWS_WITH_AS(load_tokenizer(folder / "missing"), doctest::Contains("missing: cannot be opened"), Error);
}

}  // namespace tinyllm::test
