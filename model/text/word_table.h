#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The tokens of whole words, as a hash table with open addressing. Encoding looks up each word of a text in it.
class WordTable {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr size_t kMaxProbes = 256;
  static constexpr size_t kLongest = 255;

  /// A word longer than kLongest is skipped. A word that was added before keeps its token. Throws Error when more than
  /// kMaxProbes words share a hash, which only happens in a hostile file.
  void add(std::string_view word, int32_t token);
  /// kNone if the word was never added.
  int32_t find(std::string_view word) const;

 private:
  // A short word is stored in its slot. For a longer one the slot stores its position and size in `texts_`.
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

  // One byte per slot: 0 if empty, else some bits of the hash. A search for an unknown word mostly reads only these.
  std::vector<unsigned char> tags_ = std::vector<unsigned char>(8);
  std::vector<Slot> slots_ = std::vector<Slot>(8);  // A power of two.
  std::string texts_;
  size_t words_ = 0;
};

}  // namespace tinyllm
