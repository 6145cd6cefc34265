#include <tinyllm/tensor/store.h>

namespace tinyllm {

void Store::add(std::span<const Wanted> wanted) {
  size_t bytes = 0;
  for (const Wanted& want : wanted) {
    const Entry* have = find(want.name);
    if (have == nullptr) {
      bytes += aligned(bytes_of(want.dtype, want.shape));
    } else if (have->shape != want.shape || have->dtype != want.dtype) {
      throw Error("store: {} is {} {}, expected {} {}", want.name, name_of(have->dtype), have->shape,
                  name_of(want.dtype), want.shape);
    }
  }
  std::byte* next = arenas_.emplace_back(bytes).data();
  for (const Wanted& want : wanted) {
    if (!index_.emplace(want.name, entries_.size()).second) continue;
    const Entry& entry = entries_.emplace_back(Entry{want.name, want.dtype, want.shape, next});
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

}  // namespace tinyllm
