#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/corpus/source.h>

#include "temp_folder.h"

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace corpus;
namespace {

// What the source reads of a compressed file with these bytes.
std::string decompressed(const TempFolder& folder, const std::string& bytes) {
  write_file(folder / "a", bytes);
  FileSource source({folder / "a", "a", TextFormat::text, true, std::ssize(bytes)});
  std::string text;
  std::string buffer(10, ' ');
  while (const size_t got = source.read(buffer)) {
    text.append(buffer, 0, got);
    buffer.resize(1 << 16);
  }
  return text;
}

}  // namespace

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
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(decompressed(folder, c.bytes) == c.text);
    CHECK(decompressed(folder, c.bytes + c.bytes) == c.text + c.text);
    CHECK_THROWS_WITH_AS(decompressed(folder, c.bytes.substr(0, c.bytes.size() - 9)),
                         doctest::Contains("damaged or cut"), Error);
  }
}

TEST_CASE("data that are compressed twice over are read, and three times over refused") {
  const TempFolder folder;
  const std::string twice(
      "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x93\xEF\xE6\x60\x00\x03\x66\x6D\x4F\xDF\x27\x4C\x0C"
      "\x4F\x82\xCC\xC4\x59\x80\x22\x00\xD6\x3F\x89\x53\x18\x00\x00\x00",
      39);
  const std::string thrice(
      "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x93\xEF\xE6\x60\x00\x03\xE6\xC9\xEF\x9F\x25\x30\x30"
      "\xA7\xE5\xFA\xDF\x57\xF7\xE1\xF1\x6F\x3A\x73\x24\xB2\x41\x89\xE1\x9A\x7D\x67\xB0\x04\x50\x01"
      "\x00\xF7\xE0\x0A\xE2\x27\x00\x00\x00",
      55);
  CHECK(decompressed(folder, twice) == "tea\n");
  CHECK_THROWS_WITH_AS(decompressed(folder, thrice), "a: is compressed 3 times over, expected at most 2", Error);
}

TEST_CASE("compressed data of no bytes are an empty text, and are not when they are cut") {
  const TempFolder folder;
  for (const std::string& empty : {
           std::string("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20),  // gz
           std::string("\xFD\x37\x7A\x58\x5A\x00\x00\x04\xE6\xD6\xB4\x46\x00\x00\x00\x00\x1C\xDF\x44\x21\x1F\xB6\xF3"
                       "\x7D\x01\x00\x00\x00\x00\x04\x59\x5A",
                       32),                                                          // xz
           std::string("\x28\xB5\x2F\xFD\x24\x00\x01\x00\x00\x99\xE9\xD8\x51", 13),  // zst
       }) {
    CHECK(decompressed(folder, empty).empty());
    CHECK_THROWS_WITH_AS(decompressed(folder, empty.substr(0, empty.size() / 2)), doctest::Contains("damaged or cut"),
                         Error);
  }
}

TEST_CASE("a large text that expands a thousand times is refused, after its beginning") {
  const TempFolder folder;
  // A frame of zstd (RFC 8878) whose blocks are one byte many times over.
  const auto frame = [](uint32_t block, uint32_t blocks) {
    std::string bytes("\x28\xB5\x2F\xFD\x00\x38", 6);
    for (uint32_t i = 0; i < blocks; ++i) {
      const uint32_t header = block << 3 | 1U << 1 | (i + 1 == blocks ? 1U : 0U);
      for (const uint32_t shift : {0U, 8U, 16U}) bytes += static_cast<char>(header >> shift & 0xFF);
      bytes += 'a';
    }
    return bytes;
  };
  constexpr uint32_t kMegabyte = 1 << 20;
  CHECK(decompressed(folder, frame(1 << 17, 8 * 15)).size() == 15 * kMegabyte);
  CHECK(decompressed(folder, frame(1 << 11, 20 * kMegabyte >> 11)).size() == 20 * kMegabyte);
  CHECK_THROWS_WITH_AS(decompressed(folder, frame(1 << 17, 8 * 100)), doctest::Contains("a: expands more than 1000"),
                       Error);
}

}  // namespace tinyllm::test
