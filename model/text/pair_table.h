#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// What two neighbouring tokens become.
struct Merge {
  static constexpr uint32_t kNever = UINT32_MAX;
  uint32_t rank = kNever;  // 0 goes first; kNever: the two are not merged.
  int32_t id = 0;
};

/// The merges of pairs of tokens: a hash table with open addressing, which is asked for each pair of characters.
class PairTable {
 public:
  /// `pairs` is how many will be added at most.
  explicit PairTable(size_t pairs) {
    size_t slots = 2;
    while (slots < 2 * pairs) slots *= 2;
    slots_.resize(slots);
  }

  /// A pair that is there already keeps the merge of the lower rank.
  void add(int32_t left, int32_t right, Merge merge) {
    Slot& slot = slots_[place_of(left, right)];
    if (slot.left == left && slot.merge.rank <= merge.rank) return;
    slot = {left, right, merge};
  }

  /// Null when the pair was never added.
  const Merge* find(int32_t left, int32_t right) const {
    const Slot& slot = slots_[place_of(left, right)];
    return slot.left == left ? &slot.merge : nullptr;
  }

 private:
  struct Slot {
    int32_t left = -1;  // -1: empty.
    int32_t right = 0;
    Merge merge;
  };

  // Of the pair, or of the empty slot where it would go. There is one: the table is half full at most.
  size_t place_of(int32_t left, int32_t right) const {
    const uint64_t pair = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    const size_t mask = slots_.size() - 1;
    // Fibonacci hashing: the upper bits of a product with 2^64 over the golden ratio are well mixed.
    size_t place = static_cast<size_t>(pair * 0x9E3779B97F4A7C15 >> 32) & mask;
    while (slots_[place].left >= 0 && (slots_[place].left != left || slots_[place].right != right)) {
      place = (place + 1) & mask;
    }
    return place;
  }

  std::vector<Slot> slots_;
};

}  // namespace tinyllm
