#include <doctest/doctest.h>

#include <tinyllm/train/problems/draw.h>

#include <set>

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

TEST_CASE("made-up problems of all that is wanted, as many as are asked for") {
  const std::vector<Wanted> wanted = {{"ages", 1, Language::chinese, Split::train},
                                      {"shopping", 2, Language::english, Split::numbers}};
  const std::vector<Problem> made = make_problems(wanted, 7, 200);
  REQUIRE(made.size() == 200);
  std::set<std::string> questions;
  int64_t ages = 0;
  for (const Problem& problem : made) {
    questions.insert(problem.question);
    ages += problem.kind == "ages";
    CHECK(split_of(problem) == (problem.kind == "ages" ? Split::train : Split::numbers));
  }
  CHECK(questions.size() == 200);
  CHECK(ages > 80);
  CHECK(make_problems(wanted, 7, 50).back().question == made[49].question);
}

TEST_CASE("problems become conversations in the reasoning style, none lost, each with one system prompt") {
  std::vector<Problem> problems;
  for (int i = 0; i < 20; ++i) {
    Problem& problem = problems.emplace_back();
    problem.system = i < 11 ? "one" : "other";
    problem.question = std::to_string(i);
    problem.cot = "1+1=2.";
    problem.final = "2";
  }
  int next = 0;
  size_t longest = 0;
  for (const Messages& messages : as_conversations(problems)) {
    check_order(messages, "conversation");
    longest = std::max(longest, count_of_turns(messages));
    CHECK(messages[0].role == Role::system);
    for (size_t i = 1; i < messages.size(); i += 2) {
      CHECK(messages[0].content == (next < 11 ? "one" : "other"));
      CHECK(messages[i].content == std::to_string(next));
      CHECK(messages.at(i + 1).content == "【推理过程】\n1+1=2.\n【最终答案】\n2\n");
      ++next;
    }
  }
  CHECK(next == 20);
  CHECK(longest == 3);
}

}  // namespace tinyllm::test
