#pragma once

#include <array>
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
  // A short word is in its slot; of a longer one, where it is in `texts_`.
  struct Slot {
    static constexpr size_t kShort = 11;
    static constexpr unsigned char kLong = 255;
    std::array<char, kShort> bytes{};
    unsigned char size = 0;  // kLong: a longer word.
    int32_t token = kNone;
    bool is(const Slot& other) const { return bytes == other.bytes && size == other.size; }
  };
  static uint64_t hash_of(std::string_view word);
  static unsigned char tag_of(uint64_t hash) { return static_cast<unsigned char>(hash >> 57 | 0x80); }
  static Slot slot_with(std::string_view word);
  std::string_view word_in(const Slot& slot) const;
  bool find_slot(std::string_view word, size_t& index, unsigned char& tag) const;
  void grow();

  // For each slot 0 while it is empty, or bits of the hash: most words that are not there touch nothing else.
  std::vector<unsigned char> tags_ = std::vector<unsigned char>(8);
  std::vector<Slot> slots_ = std::vector<Slot>(8);  // A power of two.
  std::string texts_;
  size_t words_ = 0;
};

}  // namespace tinyllm
