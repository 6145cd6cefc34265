#pragma once

#include <tinyllm/tensor/op.h>

#include <array>

// What `permute`, `broadcast_to` and `flip` share: a copy that visits its input in another order.
namespace tinyllm {

/// Which element of the input an element of the output is: `offset` plus the sum over axes of index times stride.
/// A stride may be 0 (the axis repeats) or below 0 (the axis is read backwards).
struct Strides {
  int64_t offset = 0;
  std::array<int64_t, Shape::kMaxRank> axis{};  ///< For each axis of the output.

  int64_t& operator[](int i) { return axis[static_cast<size_t>(i)]; }
  int64_t operator[](int i) const { return axis[static_cast<size_t>(i)]; }
};

/// Copies input 0 to output 0, both of elements of 4 bytes.
void copy_strided(const Launch& launch, const Strides& strides);

}  // namespace tinyllm
