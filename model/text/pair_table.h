#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tinyllm {

/// The merge of two neighbouring tokens.
struct Merge {
  static constexpr uint32_t kNever = UINT32_MAX;
  uint32_t rank = kNever;  // 0 is merged first; kNever: the two are not merged.
  int32_t id = 0;
};

/// The merges of pairs of tokens, as a hash table with open addressing. Encoding looks up each pair of neighbours in
/// it.
class PairTable {
 public:
  /// The most slots to search for one pair. Real vocabularies need a tenth of this.
  static constexpr size_t kMaxProbes = 256;

  /// If the pair exists already, the merge of lower rank stays. Throws Error when more than kMaxProbes pairs share a
  /// hash: only a hostile file has so many, and searching them would take unbounded time.
  void add(int32_t left, int32_t right, Merge merge) {
    if (kSlotsPerPair * (pairs_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[find_slot(left, right)];
    if (slot.left == left && slot.right == right) {
      if (merge.rank < slot.merge.rank) slot.merge = merge;
      return;
    }
    if (slot.left >= 0) throw Error("tokenizer: more than {} pairs of tokens have one hash", kMaxProbes);
    slot = {left, right, merge};
    ++pairs_;
  }

  /// Null when the pair was never added.
  const Merge* find(int32_t left, int32_t right) const {
    const Slot& slot = slots_[find_slot(left, right)];
    return slot.left == left && slot.right == right ? &slot.merge : nullptr;
  }

 private:
  struct Slot {
    int32_t left = -1;  // -1: empty.
    int32_t right = 0;
    Merge merge;
  };
  static constexpr size_t kSlotsPerPair = 4;

  // The slot of the pair, else the empty slot for it, else the last slot searched.
  size_t find_slot(int32_t left, int32_t right) const {
    const uint64_t pair = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    const size_t mask = slots_.size() - 1;
    // Fibonacci hashing: the upper bits of a product with 2^64 over the golden ratio are well mixed.
    size_t index = static_cast<size_t>(pair * 0x9E3779B97F4A7C15 >> 32) & mask;
    for (size_t probes = 1; probes < kMaxProbes; ++probes) {
      const Slot& slot = slots_[index];
      if (slot.left < 0 || (slot.left == left && slot.right == right)) break;
      index = (index + 1) & mask;
    }
    return index;
  }

  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    pairs_ = 0;
    for (const Slot& slot : old) {
      if (slot.left >= 0) add(slot.left, slot.right, slot.merge);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(kSlotsPerPair);  // A power of two.
  size_t pairs_ = 0;
};

}  // namespace tinyllm
