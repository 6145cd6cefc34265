#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Tokens of whole words: a hash table with open addressing, which is looked up for each word of a text.
class WordTable {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr size_t kMaxProbes = 256;
  static constexpr size_t kLongest = 255;

  /// Throws Error when too many words have one hash, as only words do that were made for it. A word longer than
  /// kLongest is left out; one that is there keeps its token.
  void add(std::string_view word, int32_t token);
  /// kNone when it was never added.
  int32_t find(std::string_view word) const;

 private:
  struct Slot {
    uint32_t tag = 0;  // Upper bits of the hash.
    int32_t token = kNone;
    uint32_t begin = 0;
    uint32_t size = 0;
  };
  static uint64_t hash_of(std::string_view word);
  size_t slot_of(std::string_view word, uint64_t hash) const;
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(8);  // A power of two.
  std::string texts_;
  size_t words_ = 0;
};

}  // namespace tinyllm
