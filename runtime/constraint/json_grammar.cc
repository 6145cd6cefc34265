#include <tinyllm/runtime/constraint/json_grammar.h>

#include <algorithm>

namespace tinyllm {

int64_t JsonGrammar::shortest_value(uint32_t value, int depth_left) const {
  int64_t least = kNever;
  for (const uint32_t node : values[value]) {
    least = std::min<int64_t>(least, shortest[node][static_cast<size_t>(depth_left)]);
  }
  return least;
}

size_t JsonGrammar::bytes() const {
  size_t total = sizeof(*this) + shortest.size() * sizeof shortest[0];
  for (const std::vector<uint32_t>& value : values) total += sizeof value + value.size() * sizeof(uint32_t);
  for (const Node& node : nodes) {
    total += sizeof node + node.values.size() * sizeof(uint32_t) + node.required.size() / 8;
    for (const std::string& word : node.words) total += sizeof word + word.size();
  }
  return total;
}

}  // namespace tinyllm
