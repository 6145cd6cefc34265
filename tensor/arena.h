#pragma once

#include <tinyllm/tensor/base/checked.h>

#include <cstddef>

namespace tinyllm {

/// Every tensor begins at a multiple of this many bytes: a cache line, and the widest vector register.
inline constexpr size_t kAlignment = 64;

/// The least multiple of kAlignment that is at least `bytes`. Throws Error when size_t cannot hold it.
constexpr size_t aligned(size_t bytes) { return checked_add(bytes, kAlignment - 1) / kAlignment * kAlignment; }

/// One block of zeroed memory from the system, in large pages if it has them.
class Arena {
 public:
  Arena() = default;
  /// Throws Error when the system does not have that much memory.
  explicit Arena(size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tinyllm
