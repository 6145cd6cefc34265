#pragma once

#include <tinyllm/model/text/pair_table.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Finds those of a set of texts that another text begins with, in one step for each byte.
class TextTrie {
 public:
  /// A text that is there already gets the new value, which is not negative.
  void add(std::string_view text, int32_t value) {
    int32_t node = 0;
    for (const char byte : text) {
      const Merge* next = nodes_.find(node, static_cast<unsigned char>(byte));
      if (next == nullptr) {
        nodes_.add(node, static_cast<unsigned char>(byte), {0, static_cast<int32_t>(values_.size())});
        node = static_cast<int32_t>(values_.size());
        values_.push_back(kNone);
      } else {
        node = next->id;
      }
    }
    values_[static_cast<size_t>(node)] = value;
  }

  /// Calls visit(length, value) for each, the shortest first.
  template <class Visit>
  void prefixes(std::string_view text, Visit visit) const {
    int32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const Merge* next = nodes_.find(node, static_cast<unsigned char>(text[i]));
      if (next == nullptr) return;
      node = next->id;
      if (values_[static_cast<size_t>(node)] != kNone) visit(i + 1, values_[static_cast<size_t>(node)]);
    }
  }

  struct Found {
    size_t length = 0;  // 0: none.
    int32_t value = kNone;
  };
  Found longest(std::string_view text) const {
    Found found;
    prefixes(text, [&](size_t length, int32_t value) { found = {length, value}; });
    return found;
  }
  bool contains(std::string_view text) const { return !text.empty() && longest(text).length == text.size(); }

 private:
  static constexpr int32_t kNone = -1;
  PairTable nodes_;  // (node, byte) to the next node.
  std::vector<int32_t> values_ = {kNone};
};

}  // namespace tinyllm
