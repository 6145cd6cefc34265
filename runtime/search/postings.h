#pragma once

#include <tinyllm/runtime/search/grams.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Which chunks a gram occurs in, as bytes. A segment holds this for a range of chunks, as blocks of about 16 KB:
//   block:   entries, in the order of grams; the first gram is said by the one who keeps the block
//   entry:   gram minus that of the entry before, number of postings, bytes of postings; then these
//   posting: (chunk minus the one before) * 2 + 1 if the gram occurs once and in the body alone; else * 2, followed by
//   a
//            byte for the body and one for title (high four bits) and headings
// Numbers are of variable length, seven bits a byte, the low ones first (LEB128).
namespace tinyllm::search {

using ChunkId = uint32_t;

/// How often a gram occurs in the fields of a chunk; more than 255 or 15 counts as that.
struct Posting {
  ChunkId chunk = 0;
  uint8_t body = 0;
  uint8_t title = 0;
  uint8_t headings = 0;
};

/// A block and its first gram.
using EmitBlock = std::function<void(Gram first, std::string_view block)>;

/// Collects the postings of new chunks.
class SegmentBuilder {
 public:
  SegmentBuilder();

  /// Chunks come in order: that of the posting is no less than any before.
  void add(Gram gram, const Posting& posting);
  /// Has what `add` needs for a gram fetched from memory: most of its time is waiting for that.
  void prefetch(Gram gram) const { __builtin_prefetch(&slots_[first_slot(gram)]); }
  /// Bytes of postings so far.
  size_t size() const { return size_; }
  /// Calls `emit` for each block in order, and is empty afterwards.
  void finish(const EmitBlock& emit);

 private:
  struct Entry {
    Gram gram = 0;
    ChunkId last = 0;
    uint32_t count = 0;
    std::string postings;
  };
  struct Slot {
    Gram gram = 0;
    uint32_t entry = 0;  // Its index plus 1; 0 in an empty slot.
  };
  size_t first_slot(Gram gram) const {
    return static_cast<size_t>(gram * 0x9E3779B97F4A7C15u >> 20) & (slots_.size() - 1);
  }
  Entry& entry_of(Gram gram);
  void grow();

  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // A hash table with linear probing.
  size_t size_ = 0;
};

/// Reads the entries of a block. Throws Error that begins with "index: " where the bytes are damaged.
class BlockReader {
 public:
  BlockReader(Gram first, std::string_view block) : gram_(first), rest_(block) {}

  /// Moves to the next entry; false after the last one.
  bool next();
  Gram gram() const { return gram_; }
  uint32_t count() const { return count_; }
  /// Appends the postings of the entry. All chunks must be below `chunks`.
  void read(uint32_t chunks, std::vector<Posting>& postings) const;

 private:
  Gram gram_;
  bool begun_ = false;
  uint32_t count_ = 0;
  std::string_view postings_;
  std::string_view rest_;
};

/// Gives entries in order of their grams and makes blocks of them.
class BlockWriter {
 public:
  explicit BlockWriter(const EmitBlock& emit) : emit_(emit) {}
  /// Postings as `SegmentBuilder` has them.
  void add(Gram gram, uint32_t count, std::string_view postings);
  /// The same from a list; leaves out an empty one.
  void add(Gram gram, const std::vector<Posting>& postings);
  void finish();

 private:
  const EmitBlock& emit_;
  Gram first_ = 0;
  Gram last_ = 0;
  std::string block_;
};

}  // namespace tinyllm::search
