#pragma once

#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/base/checked.h>

#include <cstddef>
#include <cstdint>

namespace tinyllm {

/// Hands out the scratch memory of a node, part by part. Without memory it only counts. An op takes the same parts in
/// its `workspace` function, which returns the bytes needed, and in its `run`.
class Workspace {
 public:
  explicit Workspace(void* memory = nullptr) : memory_(static_cast<std::byte*>(memory)) {}

  /// Aligned memory for `n` elements; null without memory.
  template <class T>
  T* take(int64_t n) {
    std::byte* at = memory_ == nullptr ? nullptr : memory_ + bytes_;
    bytes_ = checked_add(bytes_, aligned(checked_mul(static_cast<size_t>(n), sizeof(T))));
    return reinterpret_cast<T*>(at);
  }

  /// Bytes taken so far.
  size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  size_t bytes_ = 0;
};

}  // namespace tinyllm
