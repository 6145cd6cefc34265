#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/corpus/source.h>

#include "temp_folder.h"

#include <string>
#include <vector>

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

TEST_CASE("what gzip, xz and zstd write is decompressed, and no further; cut data are said") {
  const TempFolder folder;
  const std::string tea = "tea and water, tea and water\n";
  struct Case {
    std::string bytes;  // As the programs of these names write them.
    std::string text;
  };
  const std::vector<Case> cases = {
      {std::string("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x2B\x49\x4D\x54\x48\xCC\x4B\x51\x28\x4F\x2C\x49\x2D\xD2"
                   "\x51\x28\x41\xE6\x72\x01\x00\x88\xB7\xC6\x52\x1D\x00\x00\x00",
                   39),
       tea},  // gz
      {std::string("\xFD\x37\x7A\x58\x5A\x00\x00\x01\x69\x22\xDE\x36\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2F\xE5\xA3"
                   "\xE0\x00\x1C\x00\x17\x5D\x00\x3A\x19\x48\x43\x63\x3A\xE5\xA5\x3B\x0A\xC2\x35\x1B\x9D\xA9\x6C\x7C"
                   "\x22\x78\xEA\xDC\x00\x00\x00\x00\x88\xB7\xC6\x52\x00\x01\x2F\x1D\x9F\xE1\x9C\x51\x90\x42\x99\x0D"
                   "\x01\x00\x00\x00\x00\x01\x59\x5A",
                   80),
       tea},  // xz
      {std::string("\x28\xB5\x2F\xFD\x24\x1D\xB5\x00\x00\x80\x74\x65\x61\x20\x61\x6E\x64\x20\x77\x61\x74\x65\x72\x2C"
                   "\x20\x0A\x01\x00\x72\xCC\x3A\x25\xC8\x53\x33",
                   35),
       tea},  // zst
      {std::string("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x4B\x4A\x4D\xCF\xCC\x53\x30\x33\x31\x51\xA8\xE0\x52\xB1"
                   "\x55\x33\x75\x54\x72\x48\x48\xE0\x4A\xE0\x4A\xCD\x4B\xE1\x02\x00\xBA\x46\x54\x71\x1C\x00\x00\x00",
                   48),
       "begin 644 x\n$=&5A\"@``\n`\nend\n"},  // Text that is uuencoded, in gzip.
  };
  const auto read = [&](const std::string& bytes) {
    write_file(folder / "a", bytes);
    FileSource source({folder / "a", "a", TextFormat::text, true, std::ssize(bytes)});
    std::string text;
    char buffer[10];
    while (const size_t got = source.read(buffer)) text.append(buffer, got);
    return text;
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read(c.bytes) == c.text);
    CHECK(read(c.bytes + c.bytes) == c.text + c.text);
    CHECK_THROWS_WITH_AS(read(c.bytes.substr(0, c.bytes.size() - 9)), doctest::Contains("damaged or cut"), Error);
  }
}

}  // namespace tinyllm::test
