#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A Bloom filter of pairs of symbols: `has` is always true for a pair that was added, and rarely true for another
/// (Bloom 1970, "Space/time trade-offs in hash coding with allowable errors"). Each pair sets three bits, all in one
/// 64-bit word. The filter fits into the CPU's cache, a table of merges does not. For most pairs of neighbours in a
/// text it answers that no merge can join them.
class BorderFilter {
 public:
  BorderFilter() : BorderFilter(0) {}
  /// Sized for about this many pairs.
  explicit BorderFilter(size_t pairs) {
    constexpr size_t kPairsPerWord = 4;
    constexpr size_t kMostWords = size_t{1} << 17;
    words_.resize(std::min(std::bit_ceil(pairs / kPairsPerWord + 1), kMostWords));
    mask_ = words_.size() - 1;
  }

  void add(int32_t left, int32_t right) {
    const uint64_t hash = hash_of(left, right);
    words_[hash >> 32 & mask_] |= bits_of(hash);
  }
  bool has(int32_t left, int32_t right) const {
    const uint64_t hash = hash_of(left, right);
    return (~words_[hash >> 32 & mask_] & bits_of(hash)) == 0;
  }

 private:
  static uint64_t hash_of(int32_t left, int32_t right) {
    const uint64_t pair = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    return pair * 0x9E3779B97F4A7C15;
  }
  static uint64_t bits_of(uint64_t hash) {
    return uint64_t{1} << (hash >> 58) | uint64_t{1} << (hash >> 52 & 63) | uint64_t{1} << (hash >> 26 & 63);
  }

  size_t mask_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace tinyllm
