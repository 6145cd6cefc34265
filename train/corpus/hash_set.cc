#include <tinyllm/train/corpus/hash_set.h>

#include <algorithm>
#include <utility>

namespace tinyllm::corpus {

HashSet::HashSet(size_t most) : most_(std::max<size_t>(most, 2)) {}

bool HashSet::insert(uint64_t hash) {
  hash = std::max<uint64_t>(hash, 1);
  if (young_.has(hash)) return false;
  const bool known = old_.has(hash);
  if (young_.size >= most_ / 2) {
    old_ = std::exchange(young_, {});
  }
  young_.add(hash);  // Also when it was old: what occurs again is remembered longer.
  return !known;
}

bool HashSet::Table::has(uint64_t hash) const {
  if (slots.empty()) return false;
  const size_t mask = slots.size() - 1;
  size_t at = hash & mask;
  while (slots[at] != 0 && slots[at] != hash) at = (at + 1) & mask;
  return slots[at] == hash;
}

// At most three quarters are full.
void HashSet::Table::add(uint64_t hash) {
  if (4 * (size + 1) > 3 * slots.size()) grow();
  const size_t mask = slots.size() - 1;
  size_t at = hash & mask;
  while (slots[at] != 0) at = (at + 1) & mask;
  slots[at] = hash;
  ++size;
}

void HashSet::Table::grow() {
  const std::vector<uint64_t> old = std::exchange(slots, std::vector<uint64_t>(std::max<size_t>(64, 2 * slots.size())));
  size = 0;
  for (const uint64_t hash : old) {
    if (hash != 0) add(hash);
  }
}

}  // namespace tinyllm::corpus
