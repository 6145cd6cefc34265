#pragma once

#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/types.h>

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tinyllm {

/// The named tensors that outlive a run: parameters, optimiser moments, caches. Several programs compiled over one
/// store share their weights, which is how a model is trained, evaluated and asked without copying it.
class Store {
 public:
  struct Entry {
    std::string name;
    DType dtype;
    Shape shape;
    std::byte* data;

    size_t bytes() const { return bytes_of(dtype, shape); }
    /// Throws Error when T is not the entry's type.
    template <class T>
    std::span<T> as() const {
      if (dtype_of<T>() != dtype) throw Error("{}: is {}, not {}", name, name_of(dtype), name_of(dtype_of<T>()));
      return {reinterpret_cast<T*>(data), static_cast<size_t>(shape.size())};
    }
  };
  struct Wanted {
    std::string name;
    DType dtype;
    Shape shape;
  };

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Adds what is not there yet, as zeros, in one contiguous block; entries never move afterwards.
  /// Throws Error when an entry is there with another type or shape.
  void add(std::span<const Wanted> wanted);

  /// Null when there is none.
  const Entry* find(std::string_view name) const;
  /// Throws Error when there is none.
  const Entry& at(std::string_view name) const;
  /// In the order of adding.
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  std::vector<Arena> arenas_;
  std::deque<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace tinyllm
