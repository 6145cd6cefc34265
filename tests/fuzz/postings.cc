// Any bytes as a block of postings: refused, or grams and chunks in order, which are the same after they are written
// again.
#include <tinyllm/runtime/search/postings.h>

#include "fuzz/fuzz.h"

#include <vector>

void tinyllm::test::fuzz(std::string_view bytes) {
  using namespace search;
  constexpr uint32_t kChunks = 1 << 20;
  struct Entry {
    Gram gram;
    std::vector<Posting> postings;
  };
  std::vector<Entry> entries;
  may_refuse([&] {
    BlockReader reader(1, bytes);
    while (reader.next()) {
      Entry entry{reader.gram(), {}};
      reader.read(kChunks, entry.postings);
      require(entries.empty() || entry.gram > entries.back().gram);
      for (size_t i = 1; i < entry.postings.size(); ++i) {
        require(entry.postings[i].chunk > entry.postings[i - 1].chunk && entry.postings[i].chunk < kChunks);
      }
      if (!entry.postings.empty()) entries.push_back(std::move(entry));
    }
  });
  size_t at = 0;
  const EmitBlock emit = [&](Gram first, std::string_view block) {
    BlockReader again(first, block);
    while (again.next()) {
      std::vector<Posting> postings;
      again.read(kChunks, postings);
      require(again.gram() == entries[at].gram && postings.size() == entries[at].postings.size());
      for (size_t i = 0; i < postings.size(); ++i) {
        require(postings[i].chunk == entries[at].postings[i].chunk && postings[i].body == entries[at].postings[i].body);
      }
      ++at;
    }
  };
  BlockWriter writer(emit);
  for (const Entry& entry : entries) writer.add(entry.gram, entry.postings);
  writer.finish();
  require(at == entries.size());
}
