#include <tinyllm/train/problems/draw.h>

#include <tinyllm/model/text/reasoning.h>

#include <algorithm>
#include <array>
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

std::vector<Problem> make_problems(std::span<const Wanted> wanted, uint64_t seed, int64_t count) {
  std::vector<Problem> problems;
  const Draw draw = [&](size_t source, uint64_t index) { return make_problem(wanted[source], seed, index); };
  draw_in_turn(wanted.size(), count, draw, [&](Problem problem) { problems.push_back(std::move(problem)); });
  return problems;
}

std::vector<Messages> as_conversations(std::span<const Problem> problems) {
  constexpr std::array<size_t, 5> kTurns = {1, 1, 2, 1, 3};  // Of one conversation after another.
  std::vector<Messages> conversations;
  size_t room = 0;
  for (const Problem& problem : problems) {
    if (room == 0 || conversations.back()[0].content != problem.system) {
      room = kTurns[conversations.size() % kTurns.size()];
      conversations.push_back({{Role::system, problem.system}});
    }
    conversations.back().push_back({Role::user, problem.question});
    conversations.back().push_back({Role::assistant, reasoning(problem.cot, problem.final)});
    --room;
  }
  return conversations;
}

}  // namespace tinyllm::problems
