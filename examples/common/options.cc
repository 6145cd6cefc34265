#include "options.h"

#include <tinyllm/tensor/base/thread_pool.h>

#include <algorithm>
#include <numeric>

namespace tinyllm::cli {
namespace {

// The edit distance of two words: the number of letters to insert, remove, replace or swap with a neighbour (Damerau
// 1964).
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> distance(a.size() + 1, std::vector<size_t>(b.size() + 1));
  std::iota(distance[0].begin(), distance[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    distance[i][0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      distance[i][j] = std::min({replaced, distance[i - 1][j] + 1, distance[i][j - 1] + 1});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
    }
  }
  return distance[a.size()][b.size()];
}

}  // namespace

std::string closest(const std::string& word, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return "";
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& each : known) {
    const size_t shorter = std::min(word.size(), each.size());
    const bool one_begins_the_other = shorter >= 2 && word.compare(0, shorter, each, 0, shorter) == 0;
    const size_t distance = one_begins_the_other ? 1 : edit_distance(word, each);
    if (distance < least) {
      least = distance;
      best = each;
    }
  }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string meant = closest(word, known);
  return meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
}

std::string problem_with_choice(const std::string& word, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), word) != known.end()) return "";
  return fmt::format("{}, expected {}{}", word, fmt::join(known, ", "), suggestion(word, known));
}

CLI::Option* add_threads(CLI::App& app, int& value) {
  value = std::min(value, ThreadPool::kMaxThreads);
  return add_number(app, "-t,-j,--threads", value, between(1, ThreadPool::kMaxThreads),
                    "Compute with N threads; the result is the same for any number.");
}

CLI::Option* add_model(CLI::App& app, std::string& folder, const std::string& description) {
  return app.add_option("-m,--model,model", folder, description)->type_name("MODEL")->required();
}

}  // namespace tinyllm::cli
