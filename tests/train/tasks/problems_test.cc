#include <doctest/doctest.h>

#include <tinyllm/train/tasks/problems.h>
#include <tinyllm/train/tasks/reasoning.h>

#include <map>
#include <regex>
#include <set>

namespace tinyllm::test {
namespace {

// The value of a whole-number expression with + - * / and brackets, by recursive descent: not how problems are made.
struct Parser {
  std::string text;
  size_t at = 0;

  double sum() {
    double value = product();
    while (at < text.size() && (text[at] == '+' || text[at] == '-'))
      value += text[at++] == '+' ? product() : -product();
    return value;
  }
  double product() {
    double value = factor();
    while (at < text.size() && (text[at] == '*' || text[at] == '/')) {
      if (text[at++] == '*') {
        value *= factor();
      } else {
        value /= factor();
      }
    }
    return value;
  }
  double factor() {
    if (text[at] == '(') {
      ++at;
      const double value = sum();
      ++at;
      return value;
    }
    size_t used = 0;
    const double value = std::stod(text.substr(at), &used);
    at += used;
    return value;
  }
};

double value_of(const std::string& text) { return Parser{text}.sum(); }

}  // namespace

TEST_CASE("every equation of every reasoning holds, and the answer is its last result") {
  const std::regex equation(R"(([0-9]+(?:[-+*/][0-9]+)+)=([0-9]+(?:/[0-9]+)?)(?:=([0-9]+/[0-9]+))?(?![0-9x-zmn]))");
  std::set<std::string> kinds;
  for (const Problem& p : make_problems(1, 3000, Split::train)) {
    kinds.insert(p.kind);
    std::string last;
    for (auto it = std::sregex_iterator(p.cot.begin(), p.cot.end(), equation); it != std::sregex_iterator(); ++it) {
      CHECK_MESSAGE(value_of((*it)[1]) == doctest::Approx(value_of((*it)[2])), p.cot);
      last = (*it)[2];
      if ((*it)[3].matched) {
        CHECK_MESSAGE(value_of((*it)[2]) == doctest::Approx(value_of((*it)[3])), p.cot);
        last = (*it)[3];
      }
    }
    if (!last.empty()) CHECK_MESSAGE(p.final.find(last) != std::string::npos, (p.cot + p.final));
  }
  CHECK(kinds == std::set<std::string>{"balls", "comparison", "english", "expression", "rate", "story"});
}

TEST_CASE("an expression that is asked has the value that is answered") {
  const std::regex asked(R"([0-9(][-+*/()0-9]+)");
  int checked = 0;
  for (const Problem& p : make_problems(2, 2000, Split::validation)) {
    if (p.kind != "expression") continue;
    std::smatch match;
    REQUIRE(std::regex_search(p.question, match, asked));
    CHECK(p.final == fmt::format("答案：{}。", value_of(match[0])));
    ++checked;
  }
  CHECK(checked > 200);
}

TEST_CASE("a validation problem is never made for training, whatever the seed") {
  std::set<std::string> validation;
  for (const Problem& p : make_problems(1, 3000, Split::validation)) validation.insert(p.question);
  for (uint64_t seed = 1; seed < 6; ++seed) {
    for (const Problem& p : make_problems(seed, 5000, Split::train)) CHECK_FALSE(validation.contains(p.question));
  }
}

TEST_CASE("validation problems are not a corner of all: training has seen every number") {
  const auto first_numbers = [](Split split) {
    std::set<std::string> found;
    for (const Problem& p : make_problems(1, 5000, split)) {
      std::smatch match;
      if (p.kind == "balls" && std::regex_search(p.question, match, std::regex("[0-9]"))) found.insert(match[0]);
    }
    return found;
  };
  CHECK(first_numbers(Split::train).size() == 9);
  CHECK(first_numbers(Split::validation).size() > 3);
}

TEST_CASE("practice is true: sums hold, and what is recalled is what was told") {
  const std::regex equation(R"(([0-9]+[-+*/][0-9]+)=([0-9]+))"), told(R"(([^，。0-9]+)([0-9]+)个)");
  int sums = 0, recalled = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    const std::string line = practice(1, i);
    for (auto it = std::sregex_iterator(line.begin(), line.end(), equation); it != std::sregex_iterator(); ++it) {
      CHECK_MESSAGE(value_of((*it)[1]) == value_of((*it)[2]), line);
      ++sums;
    }
    std::map<std::string, std::string> first;
    for (auto it = std::sregex_iterator(line.begin(), line.end(), told); it != std::sregex_iterator(); ++it) {
      CHECK_MESSAGE(first.try_emplace((*it)[1], (*it)[2]).first->second == (*it)[2], line);
      ++recalled;
    }
  }
  CHECK(sums == 200 * 12);
  CHECK(recalled >= 100 * 2 * 3);
}

TEST_CASE("a problem depends on its seed and index alone") {
  CHECK(make_problem(3, 70, Split::train).question == make_problems(3, 71, Split::train).back().question);
  CHECK(make_problem(3, 70, Split::train).question != make_problem(4, 70, Split::train).question);
}

TEST_CASE("problems become conversations in the reasoning style, none lost, each with one system prompt") {
  std::vector<Problem> problems;
  for (int i = 0; i < 20; ++i) {
    problems.push_back({"kind", i < 11 ? "one" : "other", std::to_string(i), "1+1=2.", "2"});
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
