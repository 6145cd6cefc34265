#include <tinyllm/model/text/merge_segment.h>

#include <algorithm>
#include <functional>

namespace tinyllm {
namespace {

constexpr int32_t kNone = -1;
// Segments of up to this many symbols are searched for the best merge each time. Longer ones use a heap.
constexpr size_t kShort = 48;

Merge merge_of(const PairTable& pairs, int32_t left, int32_t right) {
  const Merge* merge = pairs.find(left, right);
  return merge != nullptr ? *merge : Merge{};
}

void merge_short(const PairTable& pairs, std::vector<Symbol>& segment) {
  while (segment.size() > 1) {
    const auto best = std::min_element(segment.begin(), segment.end(),
                                       [](const Symbol& a, const Symbol& b) { return a.merge.rank < b.merge.rank; });
    if (best->merge.rank == Merge::kNever) return;
    best->id = best->merge.id;
    const auto next = segment.erase(best + 1);
    best->merge = next != segment.end() ? merge_of(pairs, best->id, next->id) : Merge{};
    if (best != segment.begin()) (best - 1)->merge = merge_of(pairs, (best - 1)->id, best->id);
  }
}

// The same in O(n log n) time: a heap of merges over a linked list.
void merge_long(const PairTable& pairs, std::vector<Symbol>& segment) {
  // A merge as one number, which sorts by rank, then by the index of its left symbol.
  constexpr int kPlaceBits = 40;
  const auto key = [](uint32_t rank, size_t left) { return uint64_t{rank} << kPlaceBits | left; };
  const size_t n = segment.size();
  std::vector<size_t> previous(n);
  std::vector<size_t> next(n);
  std::vector<uint64_t> heap;
  for (size_t i = 0; i < n; ++i) {
    previous[i] = i - 1;
    next[i] = i + 1;
    if (segment[i].merge.rank != Merge::kNever) heap.push_back(key(segment[i].merge.rank, i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](size_t left) {
    segment[left].merge = next[left] < n ? merge_of(pairs, segment[left].id, segment[next[left]].id) : Merge{};
    if (segment[left].merge.rank == Merge::kNever) return;
    heap.push_back(key(segment[left].merge.rank, left));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    const auto rank = static_cast<uint32_t>(heap.front() >> kPlaceBits);
    const auto left = static_cast<size_t>(heap.front() & ((uint64_t{1} << kPlaceBits) - 1));
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    // Skip the entry if an earlier merge has changed its symbols.
    if (segment[left].id == kNone || segment[left].merge.rank != rank) continue;
    const size_t right = next[left];
    segment[left].id = segment[left].merge.id;
    segment[right] = {kNone, {}};
    next[left] = next[right];
    if (next[left] < n) previous[next[left]] = left;
    update(left);
    if (left > 0) update(previous[left]);
  }
  std::erase_if(segment, [](const Symbol& symbol) { return symbol.id == kNone; });
}

}  // namespace

void merge_segment(const PairTable& pairs, std::vector<Symbol>& segment) {
  if (segment.size() <= kShort) {
    merge_short(pairs, segment);
  } else {
    merge_long(pairs, segment);
  }
}

}  // namespace tinyllm
