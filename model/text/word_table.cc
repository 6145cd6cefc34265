#include <tinyllm/model/text/word_table.h>

#include <tinyllm/tensor/base/error.h>

#include <xxhash.h>

#include <cstring>
#include <utility>

namespace tinyllm {

uint64_t WordTable::hash_of(std::string_view word) { return XXH3_64bits(word.data(), word.size()); }

WordTable::Slot WordTable::slot_with(std::string_view word) {
  Slot slot;
  if (word.size() <= Slot::kShort) {
    word.copy(slot.bytes.data(), word.size());
    slot.size = static_cast<unsigned char>(word.size());
  } else {
    slot.size = Slot::kLong;
  }
  return slot;
}

// The word of a slot that holds a long one.
std::string_view WordTable::word_in(const Slot& slot) const {
  uint32_t place[2];
  std::memcpy(place, slot.bytes.data(), sizeof place);
  return std::string_view(texts_).substr(place[0], place[1]);
}

// Whether the table has the word, and in which slot. If not, `index` is the empty slot for it, or the last slot
// searched.
bool WordTable::find_slot(std::string_view word, size_t& index, unsigned char& tag) const {
  const uint64_t hash = hash_of(word);
  const Slot wanted = slot_with(word);
  const size_t mask = slots_.size() - 1;
  tag = tag_of(hash);
  index = hash & mask;
  for (size_t probes = 1; tags_[index] != 0; ++probes) {
    if (tags_[index] == tag) {
      const Slot& slot = slots_[index];
      if (wanted.size == Slot::kLong ? slot.size == Slot::kLong && word_in(slot) == word : slot.is(wanted)) return true;
    }
    if (probes == kMaxProbes) return false;
    index = (index + 1) & mask;
  }
  return false;
}

int32_t WordTable::find(std::string_view word) const {
  size_t index = 0;
  unsigned char tag = 0;
  return word.size() <= kLongest && find_slot(word, index, tag) ? slots_[index].token : kNone;
}

void WordTable::add(std::string_view word, int32_t token) {
  size_t index = 0;
  unsigned char tag = 0;
  if (word.size() > kLongest) return;
  if (2 * (words_ + 1) > slots_.size()) grow();
  if (find_slot(word, index, tag)) return;
  if (tags_[index] != 0) throw Error("tokenizer: more than {} words have one hash", kMaxProbes);
  Slot slot = slot_with(word);
  if (slot.size == Slot::kLong) {
    const uint32_t place[2] = {static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(word.size())};
    std::memcpy(slot.bytes.data(), place, sizeof place);
    texts_ += word;
  }
  slot.token = token;
  slots_[index] = slot;
  tags_[index] = tag;
  ++words_;
}

void WordTable::grow() {
  const std::vector<unsigned char> old_tags = std::exchange(tags_, std::vector<unsigned char>(2 * tags_.size()));
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (size_t i = 0; i < old.size(); ++i) {
    if (old_tags[i] == 0) continue;
    size_t index = 0;
    unsigned char tag = 0;
    const bool is_short = old[i].size != Slot::kLong;
    find_slot(is_short ? std::string_view(old[i].bytes.data(), old[i].size) : word_in(old[i]), index, tag);
    slots_[index] = old[i];
    tags_[index] = tag;
  }
}

}  // namespace tinyllm
