#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace tinyllm::cli {

/// How many characters must be inserted, removed or replaced to make one word of another (Levenshtein distance).
inline size_t edits(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (const char letter : from) {
    size_t diagonal = row[0]++;
    for (size_t i = 0; i < to.size(); ++i) {
      const size_t replaced = diagonal + (letter == to[i] ? 0 : 1);
      diagonal = row[i + 1];
      row[i + 1] = std::min({replaced, diagonal + 1, row[i] + 1});
    }
  }
  return row.back();
}

/// The name that a mistyped word is most likely meant to be: at most two edits away. Empty when there is none.
inline std::string_view closest(std::string_view word, std::span<const std::string_view> names) {
  std::string_view best;
  size_t fewest = 3;
  for (const std::string_view name : names) {
    const size_t count = edits(word, name);
    if (count < std::min(fewest, name.size())) {
      best = name;
      fewest = count;
    }
  }
  return best;
}

}  // namespace tinyllm::cli
