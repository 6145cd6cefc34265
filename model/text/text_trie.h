#pragma once

#include <tinyllm/tensor/base/error.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm {

/// A set of texts, each with a value. Finds all of them that another text begins with, in one step per byte. The
/// children of the root are an array. All other nodes are in a hash table with open addressing, keyed by parent and
/// byte.
class TextTrie {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr size_t kMaxProbes = 256;

  /// A text that was added before gets the new value. Values are not negative. Throws Error when more than kMaxProbes
  /// nodes share a hash, which only happens in a hostile file.
  void add(std::string_view text, int32_t value) {
    if (text.empty()) return;
    while (2 * (children_ + text.size()) > slots_.size()) grow();
    uint32_t* child = &roots_[static_cast<unsigned char>(text[0])];
    if (*child == 0) *child = new_node();
    for (const char byte : text.substr(1)) {
      const uint32_t key = key_of(*child, byte);
      Slot& slot = slots_[slot_of(key)];
      if (slot.key != key) insert(slot, {key, new_node()});
      child = &slot.child;
    }
    values_[*child & kNode] = value;
    *child |= kHasValue;
  }

  /// Calls visit(length, value) for each text that `text` begins with, the shortest first.
  template <class Visit>
  void prefixes(std::string_view text, Visit visit) const {
    if (text.empty()) return;
    uint32_t child = roots_[static_cast<unsigned char>(text[0])];
    for (size_t length = 1; child != 0; ++length) {
      if ((child & kHasValue) != 0) visit(length, values_[child & kNode]);
      if (length == text.size()) return;
      const uint32_t key = key_of(child, text[length]);
      const Slot& slot = slots_[slot_of(key)];
      child = slot.key == key ? slot.child : 0;
    }
  }

  struct Found {
    size_t length = 0;  // 0: none.
    int32_t value = kNone;
  };
  Found longest(std::string_view text) const {
    Found found;
    prefixes(text, [&](size_t length, int32_t value) { found = {length, value}; });
    return found;
  }
  bool contains(std::string_view text) const { return !text.empty() && longest(text).length == text.size(); }

 private:
  // A child is the number of a node, with the bit kHasValue if a text ends there; 0: no child.
  static constexpr uint32_t kHasValue = uint32_t{1} << 31;
  static constexpr uint32_t kNode = (uint32_t{1} << 24) - 1;
  struct Slot {
    uint32_t key = 0;  // 0: empty. Node 0 is not used, so no real key is 0.
    uint32_t child = 0;
  };

  static uint32_t key_of(uint32_t node, char byte) { return node << 8 | static_cast<unsigned char>(byte); }

  size_t slot_of(uint32_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t index = static_cast<size_t>(key * uint64_t{0x9E3779B97F4A7C15} >> 32) & mask;
    for (size_t probes = 1; probes < kMaxProbes && slots_[index].key != 0 && slots_[index].key != key; ++probes) {
      index = (index + 1) & mask;
    }
    return index;
  }
  void insert(Slot& slot, const Slot& child) {
    if (slot.key != 0) throw Error("tokenizer: more than {} texts have one hash", kMaxProbes);
    slot = child;
    ++children_;
  }
  uint32_t new_node() {
    if (values_.size() > kNode) throw Error("tokenizer: its texts have more than {} bytes", kNode);
    values_.push_back(kNone);
    return static_cast<uint32_t>(values_.size() - 1);
  }
  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    children_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != 0) insert(slots_[slot_of(slot.key)], slot);
    }
  }

  std::array<uint32_t, 256> roots_{};
  std::vector<Slot> slots_ = std::vector<Slot>(2);  // A power of two.
  size_t children_ = 0;
  std::vector<int32_t> values_ = {kNone};  // By node.
};

}  // namespace tinyllm
