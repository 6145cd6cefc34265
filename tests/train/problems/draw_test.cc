#include <doctest/doctest.h>

#include <tinyllm/train/problems/draw.h>

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace problems;

TEST_CASE("problems are drawn from all sources in turn, no two alike") {
  // Source 0 has three questions, each of them four times in a row; source 1 has none; source 2 has any number.
  const Draw draw = [](size_t source, uint64_t index) -> std::optional<Problem> {
    if (source == 1) return {};
    Problem problem;
    problem.question = source == 0 ? std::to_string(index / 4 % 3) : "#" + std::to_string(index);
    return problem;
  };
  std::vector<std::string> taken;
  const auto take = [&](const Problem& problem) { taken.push_back(problem.question); };
  CHECK(draw_in_turn(3, 6, draw, take) == 6);
  CHECK(taken == std::vector<std::string>{"0", "#0", "#1", "#2", "#3", "1"});
  taken.clear();
  CHECK(draw_in_turn(1, 1000, draw, take) == 3);
  CHECK(taken == std::vector<std::string>{"0", "1", "2"});
  CHECK(draw_in_turn(0, 1000, draw, take) == 0);
}

}  // namespace tinyllm::test
