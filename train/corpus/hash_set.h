#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyllm::corpus {

/// A set of 64-bit hashes in bounded memory. When it has `most` hashes, it forgets the older half. A hash is remembered
/// until at least `most / 2` others were added; with the default, 24 million in 512 MB.
class HashSet {
 public:
  explicit HashSet(size_t most = size_t{48} << 20);

  /// Adds a hash. False when the set has it already.
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

}  // namespace tinyllm::corpus
