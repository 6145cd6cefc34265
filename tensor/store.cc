#include <tinyllm/tensor/store.h>

namespace tinyllm {

void Store::add(std::span<const Wanted> wanted) {
  size_t bytes = 0;
  bool is_complete = true;
  for (const Wanted& want : wanted) {
    if (find(want.name) != nullptr) {
      at(want.name, want.type, want.shape);
    } else {
      bytes = checked_add(bytes, aligned(bytes_of(want.type, want.shape)));
      is_complete = false;
    }
  }
  if (is_complete) return;
  std::byte* next = arenas_.emplace_back(bytes).data();
  for (const Wanted& want : wanted) {
    if (!index_.emplace(want.name, entries_.size()).second) {
      at(want.name, want.type, want.shape);  // If it is wanted twice, both must be the same.
      continue;
    }
    const Entry& entry = entries_.emplace_back(Entry{want.name, want.type, want.shape, next});
    next += aligned(entry.bytes());
  }
}

const Store::Entry* Store::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &entries_[found->second];
}

const Store::Entry& Store::at(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) throw Error("store: holds nothing named {}", name);
  return *entry;
}

const Store::Entry& Store::at(std::string_view name, Type type, const Shape& shape) const {
  const Entry& entry = at(name);
  if (entry.shape != shape || entry.type != type) {
    throw Error("store: {} is {} {}, expected {} {}", name, entry.type.str(), entry.shape, type.str(), shape);
  }
  return entry;
}

}  // namespace tinyllm
