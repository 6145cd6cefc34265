#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/train/problems/practice.h>

#include <set>

namespace tinyllm::test {

using problems::practice;

TEST_CASE("practice is true equations of all four operations, with longer numbers on higher levels") {
  size_t longest_before = 0;
  for (int level = 1; level <= 3; ++level) {
    std::set<std::string> lines;
    std::set<char> signs;
    size_t longest = 0;
    for (uint64_t i = 0; i < 200; ++i) {
      const std::string line = practice(level, 5, i);
      lines.insert(line);
      const std::vector<Equation> equations = equations_in(line);
      CHECK(equations.size() >= 10);
      size_t in_equations = 0;
      for (const Equation& equation : equations) {
        CHECK(equation.holds());
        const size_t begin = equation.sides.front().begin, end = equation.sides.back().end;
        in_equations += end - begin;
        size_t digits = 0;
        for (const char c : line.substr(begin, end - begin)) {
          digits = c >= '0' && c <= '9' ? digits + 1 : 0;
          longest = std::max(longest, digits);
          if (std::string_view("+-*/").find(c) != std::string_view::npos) signs.insert(c);
        }
      }
      // Nothing else is in a line but a comma or a full stop of three bytes after each equation.
      CHECK(line.size() == in_equations + 3 * equations.size());
      CHECK(practice(level, 5, i) == line);
      CHECK(practice(level, 6, i) != line);
    }
    CHECK(lines.size() == 200);
    CHECK(signs == std::set<char>{'+', '-', '*', '/'});
    CHECK(longest > longest_before);
    longest_before = longest;
  }
}

}  // namespace tinyllm::test
