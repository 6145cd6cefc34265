#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstdint>
#include <vector>

namespace tinyllm {

/// Reference counts of the pages of a cache.
class Pages {
 public:
  explicit Pages(int64_t count) : users_(static_cast<size_t>(count), 0) {
    for (int64_t page = count; page-- > 0;) free_.push_back(static_cast<int32_t>(page));
  }

  int64_t count() const { return static_cast<int64_t>(users_.size()); }
  int64_t free() const { return static_cast<int64_t>(free_.size()); }

  /// Takes a free page for one user. Throws Error when none is free.
  int32_t take() {
    if (free_.empty()) throw Error("cache: all {} pages are in use", count());
    const int32_t page = free_.back();
    free_.pop_back();
    users_[static_cast<size_t>(page)] = 1;
    return page;
  }
  void share(int32_t page) { ++users_[static_cast<size_t>(page)]; }
  void release(int32_t page) {
    if (--users_[static_cast<size_t>(page)] == 0) free_.push_back(page);
  }
  bool is_shared(int32_t page) const { return users_[static_cast<size_t>(page)] > 1; }

 private:
  std::vector<int32_t> users_;
  std::vector<int32_t> free_;
};

}  // namespace tinyllm
