#include <tinyllm/model/text/regex/char_classes.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <map>
#include <set>

namespace tinyllm {
namespace {

constexpr UChar32 kEnd = 0x110000;

// The characters at which membership in some set changes, and the first and last character of all.
std::vector<UChar32> borders_of(const std::vector<icu::UnicodeSet>& sets) {
  std::set<UChar32> borders = {0, kEnd};
  for (const icu::UnicodeSet& set : sets) {
    for (int32_t i = 0; i < set.getRangeCount(); ++i) {
      borders.insert(set.getRangeStart(i));
      borders.insert(set.getRangeEnd(i) + 1);
    }
  }
  return {borders.begin(), borders.end()};
}

}  // namespace

CharClasses::CharClasses(const std::vector<icu::UnicodeSet>& sets) : members_(sets.size()) {
  std::map<std::vector<bool>, uint8_t> class_of_membership;
  std::vector<uint8_t> classes(kEnd);
  const std::vector<UChar32> borders = borders_of(sets);
  for (size_t i = 0; i + 1 < borders.size(); ++i) {
    std::vector<bool> membership;
    for (const icu::UnicodeSet& set : sets) membership.push_back(set.contains(borders[i]));
    const auto [found, is_new] = class_of_membership.try_emplace(membership, class_of_membership.size());
    if (is_new && class_of_membership.size() > kMaxClasses) {
      throw Error("pattern: has more than {} classes of characters", kMaxClasses);
    }
    for (size_t set = 0; set < sets.size(); ++set) members_[set][found->second] = membership[set] ? 1 : 0;
    std::fill(classes.begin() + borders[i], classes.begin() + borders[i + 1], found->second);
  }

  std::copy_n(classes.begin(), ascii_.size(), ascii_.begin());
  std::map<std::array<uint8_t, 256>, uint16_t> block_with;
  for (size_t i = 0; i < block_of_.size(); ++i) {
    std::array<uint8_t, 256> block;
    std::copy_n(classes.begin() + static_cast<ptrdiff_t>(256 * i), 256, block.begin());
    const auto [found, is_new] = block_with.try_emplace(block, blocks_.size());
    if (is_new) blocks_.push_back(block);
    block_of_[i] = found->second;
  }
}

}  // namespace tinyllm
