#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A set of pairs of symbols that forgets none of them, but may say yes to a few others (Bloom 1970, "Space/time
/// trade-offs in hash coding with allowable errors"; three bits for a pair, all in one word). It fits into a cache of
/// the CPU where a table of merges does not: at most pairs of symbols it says at once that nothing is ever merged
/// across the border between them.
class BorderFilter {
 public:
  BorderFilter() : BorderFilter(0) {}
  /// For about that many pairs.
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
