#include <doctest/doctest.h>

#include <tinyllm/runtime/search/postings.h>

#include "error_of.h"

#include <map>

namespace tinyllm::search::test {
namespace {

using tinyllm::test::error_of;

struct Block {
  Gram first;
  std::string bytes;
};

std::vector<Block> blocks_of(SegmentBuilder& builder) {
  std::vector<Block> blocks;
  builder.finish([&](Gram first, std::string_view bytes) { blocks.push_back({first, std::string(bytes)}); });
  return blocks;
}

}  // namespace

TEST_CASE("postings are read as they were added") {
  SegmentBuilder builder;
  std::map<Gram, std::vector<Posting>> expected;
  for (ChunkId chunk = 1; chunk < 3000; ++chunk) {
    for (Gram gram = chunk % 7; gram < 5000; gram += 1 + chunk % 311) {
      const Posting posting{chunk, static_cast<uint8_t>(1 + gram % 3), static_cast<uint8_t>(chunk % 2), 0};
      builder.add(gram << 40, posting);
      expected[gram << 40].push_back(posting);
    }
  }
  size_t read = 0;
  Gram last = 0;
  for (const Block& block : blocks_of(builder)) {
    BlockReader reader(block.first, block.bytes);
    std::vector<Posting> postings;
    while (reader.next()) {
      if (read > 0) REQUIRE(reader.gram() > last);
      last = reader.gram();
      const std::vector<Posting>& right = expected.at(reader.gram());
      REQUIRE(reader.count() == right.size());
      postings.clear();
      reader.read(3000, postings);
      for (size_t i = 0; i < right.size(); ++i) {
        REQUIRE(postings[i].chunk == right[i].chunk);
        REQUIRE(postings[i].body == right[i].body);
        REQUIRE(postings[i].title == right[i].title);
      }
      ++read;
    }
  }
  CHECK(read == expected.size());
  CHECK(blocks_of(builder).empty());
}

TEST_CASE("damaged postings are refused") {
  SegmentBuilder builder;
  for (ChunkId chunk = 1; chunk < 20; ++chunk) builder.add(77, {chunk, 2, 1, 0});
  const std::string bytes = blocks_of(builder)[0].bytes;
  const auto read = [](std::string_view damaged, uint32_t chunks) {
    BlockReader reader(77, damaged);
    std::vector<Posting> postings;
    while (reader.next()) reader.read(chunks, postings);
  };
  CHECK(error_of([&] { read(bytes, 20); }) == "no error");
  CHECK(error_of([&] { read(bytes, 19); }) == "index: a block of postings is damaged; build the index again");
  for (size_t size = 1; size < bytes.size(); ++size) {
    CHECK(error_of([&] { read(bytes.substr(0, size), 20); }) != "no error");
  }
}

}  // namespace tinyllm::search::test
