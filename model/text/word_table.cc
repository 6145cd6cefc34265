#include <tinyllm/model/text/word_table.h>

#include <tinyllm/tensor/base/error.h>

#include <xxhash.h>

#include <utility>

namespace tinyllm {

uint64_t WordTable::hash_of(std::string_view word) { return XXH3_64bits(word.data(), word.size()); }

// The slot of the word, or the empty one where it would go, or the last one that is looked at.
size_t WordTable::slot_of(std::string_view word, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t index = hash & mask;
  for (size_t probes = 1; probes < kMaxProbes; ++probes) {
    const Slot& slot = slots_[index];
    if (slot.token == kNone) break;
    if (slot.tag == static_cast<uint32_t>(hash >> 32) && slot.size == word.size() &&
        word == std::string_view(texts_).substr(slot.begin, slot.size)) {
      break;
    }
    index = (index + 1) & mask;
  }
  return index;
}

int32_t WordTable::find(std::string_view word) const {
  if (word.size() > kLongest) return kNone;
  const uint64_t hash = hash_of(word);
  const Slot& slot = slots_[slot_of(word, hash)];
  const bool is_it = slot.token != kNone && slot.tag == static_cast<uint32_t>(hash >> 32) && slot.size == word.size() &&
                     word == std::string_view(texts_).substr(slot.begin, slot.size);
  return is_it ? slot.token : kNone;
}

void WordTable::add(std::string_view word, int32_t token) {
  if (word.size() > kLongest || find(word) != kNone) return;
  if (2 * (words_ + 1) > slots_.size()) grow();
  const uint64_t hash = hash_of(word);
  Slot& slot = slots_[slot_of(word, hash)];
  if (slot.token != kNone) throw Error("tokenizer: more than {} words have one hash", kMaxProbes);
  slot = {static_cast<uint32_t>(hash >> 32), token, static_cast<uint32_t>(texts_.size()),
          static_cast<uint32_t>(word.size())};
  texts_ += word;
  ++words_;
}

void WordTable::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const Slot& slot : old) {
    if (slot.token == kNone) continue;
    const std::string_view word = std::string_view(texts_).substr(slot.begin, slot.size);
    slots_[slot_of(word, hash_of(word))] = slot;
  }
}

}  // namespace tinyllm
