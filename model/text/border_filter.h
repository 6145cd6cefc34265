#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A set of pairs of symbols that forgets none of them, but may say yes to others (Bloom 1970, "Space/time trade-offs
/// in hash coding with allowable errors", with one hash). Small enough for a cache of the CPU where a table of merges
/// is not: at most pairs of symbols it says at once that nothing is ever merged across the border between them.
class BorderFilter {
 public:
  BorderFilter() : BorderFilter(0) {}
  /// For about that many pairs.
  explicit BorderFilter(size_t pairs) {
    constexpr size_t kBitsPerPair = 16;
    constexpr size_t kMostBits = size_t{1} << 23;
    const size_t bits = std::bit_ceil(kBitsPerPair * pairs + 64);
    words_.resize((bits < kMostBits ? bits : kMostBits) / 64);
  }

  void add(int32_t left, int32_t right) {
    const size_t bit = bit_of(left, right);
    words_[bit / 64] |= uint64_t{1} << bit % 64;
  }
  bool has(int32_t left, int32_t right) const {
    const size_t bit = bit_of(left, right);
    return (words_[bit / 64] >> bit % 64 & 1) != 0;
  }

 private:
  size_t bit_of(int32_t left, int32_t right) const {
    const uint64_t pair = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    return static_cast<size_t>((pair * 0x9E3779B97F4A7C15) >> 32) & (64 * words_.size() - 1);
  }

  std::vector<uint64_t> words_;
};

}  // namespace tinyllm
