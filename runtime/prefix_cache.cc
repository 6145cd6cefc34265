#include <tinyllm/runtime/prefix_cache.h>

#include <algorithm>

namespace tinyllm {

size_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

const Sequence* PrefixCache::find(std::span<const int32_t> prompt) {
  auto best = sequences_.end();
  size_t longest = 0;
  for (auto one = sequences_.begin(); one != sequences_.end(); ++one) {
    const size_t common = common_prefix(one->tokens(), prompt);
    if (common <= longest) continue;
    longest = common;
    best = one;
  }
  if (best == sequences_.end()) return nullptr;
  sequences_.splice(sequences_.begin(), sequences_, best);
  return &sequences_.front();
}

void PrefixCache::keep(Sequence sequence) {
  sequences_.remove_if(
      [&](const Sequence& other) { return common_prefix(other.tokens(), sequence.tokens()) == other.tokens().size(); });
  sequences_.push_front(std::move(sequence));
}

bool PrefixCache::drop_oldest() {
  if (sequences_.empty()) return false;
  sequences_.pop_back();
  return true;
}

}  // namespace tinyllm
