#include <doctest/doctest.h>

#include <tinyllm/model/file.h>
#include <tinyllm/tensor/error.h>
#include <tinyllm/train/corpus/source.h>

#include "../temp_folder.h"

namespace tinyllm::test {

TEST_CASE("a file that changes or goes after it was listed is said, after what it had then") {
  const TempFolder folder;
  write_file(folder / "a.txt", "0123456789");
  const auto listed = [&](const char* name, int64_t size) {
    return InputFile{folder / name, name, TextFormat::text, false, size};
  };
  struct Case {
    int64_t size;
    std::string_view text;
    const char* error;
  };
  for (const Case& c : {Case{5, "01234", "grew"}, Case{20, "0123456789", "became shorter"}}) {
    FileSource source(listed("a.txt", c.size));
    std::string buffer(100, ' ');
    CHECK(std::string_view(buffer).substr(0, source.read(buffer)) == c.text);
    CHECK_THROWS_WITH_AS(source.read(buffer), doctest::Contains(c.error), Error);
  }
  CHECK_THROWS_WITH_AS(FileSource(listed("gone.txt", 5)), doctest::Contains("gone.txt: cannot be opened"), Error);
}

}  // namespace tinyllm::test
