#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A value for each Unicode character, most of which have the value `none`. Values are in blocks of 256 characters, and
/// all blocks without a value share one.
template <class T>
class CharTable {
 public:
  explicit CharTable(T none) : none_(none) {
    blocks_.emplace_back();
    blocks_[0].fill(none);
  }

  const T& operator[](char32_t c) const { return blocks_[block_of_[c / 256]][c % 256]; }

  void set(char32_t c, T value) {
    uint16_t& block = block_of_[c / 256];
    if (block == 0) {
      block = static_cast<uint16_t>(blocks_.size());
      blocks_.emplace_back();
      blocks_.back().fill(none_);
    }
    blocks_[block][c % 256] = value;
  }

 private:
  T none_;
  std::array<uint16_t, 0x110000 / 256> block_of_{};
  std::vector<std::array<T, 256>> blocks_;
};

}  // namespace tinyllm
