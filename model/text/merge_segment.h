#pragma once

#include <tinyllm/model/text/pair_table.h>

#include <cstdint>
#include <vector>

namespace tinyllm {

/// A token of a segment, and what it becomes with the next one.
struct Symbol {
  int32_t id;
  Merge merge;
};

/// Merges neighbours until no pair has a merge: the pair of the lowest rank first, the leftmost of equal ones. Each
/// symbol knows its merge with the next one already. n symbols take n log n steps, and no recursion.
void merge_segment(const PairTable& pairs, std::vector<Symbol>& segment);

}  // namespace tinyllm
