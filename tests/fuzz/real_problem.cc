// A line of JSON as a real question: what is redrawn from it has true equations and an answer.
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/train/problems/redraw.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  using namespace problems;
  may_refuse([&] {
    const auto question = RealProblem::read(bytes);
    const auto* real = std::get_if<RealProblem>(&question);
    if (real == nullptr) return;
    for (const Split split : {Split::train, Split::wording}) {
      const std::optional<Problem> problem = real->draw(1, 0, split);
      if (!problem) continue;
      require(!problem->answer.empty());
      for (const Equation& equation : equations_in(problem->cot)) require(equation.holds());
    }
  });
}
