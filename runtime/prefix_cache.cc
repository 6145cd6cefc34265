#include <tinyllm/runtime/prefix_cache.h>

#include <algorithm>

namespace tinyllm {

size_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

const Sequence* PrefixCache::find(std::span<const int32_t> prompt, uint64_t group) {
  auto best = kept_.end();
  size_t longest = 0;
  for (auto one = kept_.begin(); one != kept_.end(); ++one) {
    if (one->group != group) continue;
    const size_t common = common_prefix(one->sequence.tokens(), prompt);
    if (common <= longest) continue;
    longest = common;
    best = one;
  }
  if (best == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, best);
  return &kept_.front().sequence;
}

void PrefixCache::keep(Sequence sequence, uint64_t group) {
  sequence.drop_logits();  // A row of the vocabulary: nobody reads it, and thousands may be kept.
  kept_.remove_if([&](const Kept& other) {
    const std::vector<int32_t>& tokens = other.sequence.tokens();
    return other.group == group && common_prefix(tokens, sequence.tokens()) == tokens.size();
  });
  kept_.push_front({std::move(sequence), group});
}

bool PrefixCache::drop_oldest() {
  if (kept_.empty()) return false;
  kept_.pop_back();
  return true;
}

}  // namespace tinyllm
