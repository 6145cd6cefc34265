#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A set of 64-bit hashes in bounded memory. When it has `most` of them, the older half is forgotten by and by: a hash
/// is remembered for at least `most / 2` others, and by default for 24 million, in 512 MB.
class HashSet {
 public:
  explicit HashSet(size_t most = size_t{48} << 20);

  /// Adds a hash; false when it is there already.
  bool insert(uint64_t hash);

 private:
  struct Table {
    std::vector<uint64_t> slots;  // 0 is free; a power of two of them, or none.
    size_t size = 0;

    bool has(uint64_t hash) const;
    void add(uint64_t hash);
    void grow();
  };

  size_t most_;
  Table young_;
  Table old_;
};

}  // namespace tinyllm
