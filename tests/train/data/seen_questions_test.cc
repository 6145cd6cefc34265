#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/data/seen_questions.h>

#include "error_of.h"
#include "temp_folder.h"

namespace tinyllm::test {

TEST_CASE("a model's folder says which questions it has seen") {
  const TempFolder folder;
  CHECK(SeenQuestions::of_model(folder.path()).size() == 0);
  CHECK(SeenQuestions::of_model(folder / "model.gguf").size() == 0);
  SeenQuestions seen, more;
  for (int i = 0; i < 100; ++i) seen.add(fmt::format("有 {} 个苹果，\n吃了 3 个。", i));
  more.add("another");
  more.add(seen);
  more.save(folder.path());
  const SeenQuestions read = SeenQuestions::of_model(folder.path());
  CHECK(read.size() == 101);
  CHECK(read.has("another"));
  CHECK(read.has("有7个苹果，　吃了3个。"));              // Blanks do not count,
  CHECK_FALSE(read.has("有 100 个苹果，\n吃了 3 个。"));  // numbers do.
  SeenQuestions().save(folder.path());
  CHECK_FALSE(is_there(folder / SeenQuestions::kFile));
}

TEST_CASE("a damaged file of seen questions is refused") {
  const TempFolder folder;
  SeenQuestions seen;
  for (const char* question : {"a", "b", "c"}) seen.add(question);
  seen.save(folder.path());
  const std::string bytes = read_file(folder / SeenQuestions::kFile);
  const auto refusal = [](std::string_view some) { return error_of([&] { SeenQuestions::parse(some, "x"); }); };
  CHECK(refusal(bytes) == "no error");
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(refusal(std::string_view(bytes).substr(0, size)) != "no error");
  }
  CHECK(refusal(bytes + "x") != "no error");
  std::string swapped = bytes.substr(0, 16) + bytes.substr(24, 8) + bytes.substr(16, 8) + bytes.substr(32);
  CHECK(refusal(swapped) == "x: the hashes are not in order");
}

}  // namespace tinyllm::test
