#pragma once

#include <tinyllm/tensor/op.h>

#include <array>

// What `permute` and `flip` share: a copy that visits its input in another order.
namespace tinyllm {

/// Which element of the input an element of the output is: `offset` plus the sum over axes of index times stride.
/// A stride below 0 reads its axis backwards.
struct Strides {
  int64_t offset = 0;
  std::array<int64_t, Shape::kMaxRank> axis{};  ///< For each axis of the output.

  int64_t& operator[](int i) { return axis[static_cast<size_t>(i)]; }
  int64_t operator[](int i) const { return axis[static_cast<size_t>(i)]; }
};

/// Copies input 0 to output 0, both of elements of 4 bytes and of one axis or more.
void copy_strided(const Launch& launch, const Strides& strides);

}  // namespace tinyllm
