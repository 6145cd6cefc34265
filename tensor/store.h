#pragma once

#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/types.h>

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tinyllm {

/// The named tensors that outlive a run: parameters, optimiser moments, caches. Programs compiled over one store share
/// its tensors, so that a model is trained, evaluated and queried without copies of its weights. Threads may share a
/// store while none of them adds to it or writes into an entry.
class Store {
 public:
  struct Entry {
    std::string name;
    Type type;
    Shape shape;
    std::byte* data;

    size_t bytes() const { return bytes_of(type, shape); }
    /// The elements, to read or to write. Throws Error when T is not the entry's type.
    template <class T>
    std::span<T> as() const {
      if (type != dtype_of<T>()) throw Error("{}: is {}, not {}", name, type.str(), name_of(dtype_of<T>()));
      return {reinterpret_cast<T*>(data), static_cast<size_t>(shape.size())};
    }
  };
  struct Wanted {
    std::string name;
    Type type;
    Shape shape;
  };

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Adds the tensors that are missing, as zeros, in one contiguous block; entries never move afterwards. When none is
  /// missing the store is not changed. Throws Error when an entry has another type or shape than wanted, or when there
  /// is not enough memory.
  void add(std::span<const Wanted> wanted);

  /// Null when no entry has the name.
  const Entry* find(std::string_view name) const;
  /// Throws Error when no entry has the name.
  const Entry& at(std::string_view name) const;
  /// Throws Error also when the entry has another type or shape.
  const Entry& at(std::string_view name, Type type, const Shape& shape) const;
  /// In the order in which they were added.
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  std::vector<Arena> arenas_;
  std::deque<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace tinyllm
