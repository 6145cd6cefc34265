#include <tinyllm/train/problems/draw.h>

#include <algorithm>
#include <string>
#include <unordered_set>

namespace tinyllm::problems {

int64_t draw_in_turn(size_t sources, int64_t count, const Draw& draw,
                     const std::function<void(Problem problem)>& take) {
  const size_t most_fruitless = std::max<size_t>(1000, sources);
  std::unordered_set<size_t> questions;  // By hash: they may be millions.
  int64_t taken = 0;
  size_t fruitless = 0;
  for (uint64_t index = 0; sources > 0; ++index) {
    for (size_t source = 0; source < sources; ++source) {
      if (taken == count || fruitless == most_fruitless) return taken;
      std::optional<Problem> problem = draw(source, index);
      if (!problem || !questions.insert(std::hash<std::string>()(problem->question)).second) {
        ++fruitless;
        continue;
      }
      fruitless = 0;
      ++taken;
      take(*std::move(problem));
    }
  }
  return taken;
}

}  // namespace tinyllm::problems
