#pragma once

#include <tinyllm/model/text/pair_table.h>

#include <cstdint>
#include <vector>

namespace tinyllm {

/// A token of a segment, and its merge with the next one.
struct Symbol {
  int32_t id;
  Merge merge;
};

/// Merges neighbours until no pair has a merge: the pair of lowest rank first, the leftmost of equal ones. The caller
/// has filled in each symbol's merge with the next one. n symbols take O(n log n) time, without recursion.
void merge_segment(const PairTable& pairs, std::vector<Symbol>& segment);

}  // namespace tinyllm
