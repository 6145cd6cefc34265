#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/train/problems/redraw.h>

#include "error_of.h"

#include <regex>
#include <set>

namespace tinyllm::test {
namespace {

using namespace problems;

// A line in the form of Ape210K and Math23K.
std::string equation_line(const std::string& question, const std::string& equation, const std::string& answer) {
  return Json({{"id", "1"}, {"original_text", question}, {"equation", "x=" + equation}, {"ans", answer}}).dump();
}

// A line in the form of GSM8K.
std::string marked_line(const std::string& question, const std::string& answer) {
  return Json({{"question", question}, {"answer", answer}}).dump();
}

RealProblem read(const std::string& line) {
  auto question = RealProblem::read(line);
  if (const auto* why = std::get_if<Refusal>(&question)) throw Error("refused: {}", name_of(*why));
  return std::get<RealProblem>(std::move(question));
}

std::string refusal_of(const std::string& line) {
  return error_of([&] { read(line); });
}

std::string refusal_of_equation(const std::string& question, const std::string& equation, const std::string& answer) {
  return refusal_of(equation_line(question, equation, answer));
}

// Redraws of a question for training; a question that is held out as a whole has none, and is redrawn for tests.
std::vector<Problem> redraws(const RealProblem& question, int64_t count) {
  const bool is_held_out = question.draw(1, 0, Split::wording).has_value();
  std::vector<Problem> found;
  for (int64_t i = 0; i < count; ++i) {
    if (auto problem = question.draw(1, static_cast<uint64_t>(i), is_held_out ? Split::wording : Split::train)) {
      found.push_back(*std::move(problem));
    }
  }
  return found;
}

std::vector<int64_t> numbers_of(const std::string& text) {
  static const std::regex kNumber("[0-9]+");
  std::vector<int64_t> numbers;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), kNumber); it != std::sregex_iterator(); ++it) {
    numbers.push_back(std::stoll((*it)[0]));
  }
  return numbers;
}

const char* kShells = "Rosa found 48 shells on Friday and half as many on Sunday. How many shells did she find?";
const char* kShellSteps =
    "On Sunday Rosa found 48/2 = <<48/2=24>>24 shells.\nIn all she found 48+24 = <<48+24=72>>72 shells.\n#### 72";

}  // namespace

TEST_CASE("a question of GSM8K gets other numbers in its own words") {
  std::set<std::string> questions;
  for (const Problem& p : redraws(read(marked_line(kShells, kShellSteps)), 30)) {
    CAPTURE(p.question);
    const std::vector<int64_t> asked = numbers_of(p.question);
    REQUIRE(asked.size() == 1);
    const int64_t friday = asked[0];
    CHECK(friday >= 10);
    CHECK(friday <= 99);
    CHECK(friday % 2 == 0);  // Shells are whole.
    CHECK(p.cot == fmt::format("On Sunday Rosa found {0}/2 = {1} shells.\nIn all she found {0}+{1} = {2} shells.",
                               friday, friday / 2, friday + friday / 2));
    CHECK(p.final == fmt::format("Answer: {}.", friday + friday / 2));
    questions.insert(p.question);
  }
  CHECK(questions.size() > 10);
  CHECK_FALSE(questions.contains(kShells));
}

TEST_CASE("a question of Ape210K gets other numbers, and steps of one operation each") {
  const RealProblem question =
      read(equation_line("食堂买来135千克萝卜，比土豆的3倍多15千克。土豆有多少千克？", "(135-15)/3", "40"));
  const std::vector<Problem> found = redraws(question, 20);
  CHECK(found.size() > 10);
  for (const Problem& p : found) {
    CAPTURE(p.cot);
    const std::vector<int64_t> asked = numbers_of(p.question);
    REQUIRE(asked.size() == 3);
    const int64_t difference = asked[0] - asked[2];
    CHECK(difference % asked[1] == 0);
    CHECK(p.answer == std::to_string(difference / asked[1]));
    CHECK(p.final == "答案：" + p.answer + "。");
    CHECK(p.cot == fmt::format("列式：({0}-{1})/{2}。{0}-{1}={3}。{3}/{2}={4}。", asked[0], asked[2], asked[1],
                               difference, p.answer));
    CHECK(p.language == Language::chinese);
  }
}

TEST_CASE("a question of Math23K keeps its fractions, percentages and decimals as they are written") {
  const RealProblem fraction = read(equation_line("水池用去2/5后还剩30吨水，原来有多少吨？", "30/(1-(2/5))", "50"));
  for (const Problem& p : redraws(fraction, 20)) {
    CAPTURE(p.question);
    const std::vector<int64_t> asked = numbers_of(p.question);
    REQUIRE(asked.size() == 3);
    CHECK(asked[0] < asked[1]);
    CHECK(str(calculate(fmt::format("{}/(1-{}/{})", asked[2], asked[0], asked[1]))) == p.answer);
    CHECK(p.cot.find(fmt::format("1-({}/{})=", asked[0], asked[1])) != std::string::npos);
  }
  const RealProblem percent = read(equation_line("一批货物1,200件，运走35%，运走多少件？", "1200*35%", "420"));
  for (const Problem& p : redraws(percent, 20)) {
    CAPTURE(p.question);
    CHECK(std::regex_match(p.question, std::regex("一批货物[1-9],[0-9]00件，运走[1-9][05]%，运走多少件？")));
    CHECK(numbers_of(p.answer).size() == 1);
  }
  const RealProblem decimal = read(equation_line("每本本子3.50元，8本多少元？", "3.5*8", "28"));
  for (const Problem& p : redraws(decimal, 20)) {
    CHECK(std::regex_match(p.question, std::regex("每本本子[1-9]\\.[0-9]0元，[2-9]本多少元？")));
    CHECK(numbers_of(p.answer).size() == 1);  // Whole yuan, as before.
  }
}

TEST_CASE("our own files of questions are read too") {
  const Json row = {{"user", kShells},
                    {"cot_calc", std::string(kShellSteps).substr(0, std::string(kShellSteps).find("\n####"))},
                    {"answer", "72"},
                    {"source", "somebody"},
                    {"license", "MIT"}};
  const std::vector<Problem> found = redraws(read(row.dump()), 3);
  REQUIRE(!found.empty());
  const Json sample = Json::parse(as_sample(found[0]));
  CHECK(sample["source"] == "somebody");
  CHECK(sample["license"] == "MIT");
  CHECK_FALSE(
      redraws(read(Json({{"user", "买6盒笔，每盒12支，共多少支？"}, {"equation", "x=6*12"}, {"answer", "72"}}).dump()),
              3)
          .empty());
}

TEST_CASE("every equation of a redrawn reasoning holds, and the same seed redraws the same") {
  const RealProblem question =
      read(equation_line("甲每小时行45千米，乙每小时行38千米，6小时相距多少千米？", "(45-38)*6", "42"));
  for (const Problem& p : redraws(question, 50)) {
    for (const Equation& equation : equations_in(p.cot)) CHECK_MESSAGE(equation.holds(), p.cot);
    CHECK(numbers_of(p.answer)[0] > 0);
  }
  const auto sample = [&](uint64_t seed) {
    const auto problem = question.draw(seed, 5, Split::train);
    return problem ? as_sample(*problem) : "none";
  };
  CHECK(sample(1) == sample(1));
}

TEST_CASE("what is held out is not redrawn for training") {
  int held_out = 0;
  for (int64_t i = 0; i < 60; ++i) {
    const RealProblem question = read(equation_line(
        fmt::format("仓库{}运来26箱苹果，每箱14千克，共多少千克？", std::string(static_cast<size_t>(i), '*')), "26*14",
        "364"));
    const bool is_held_out = question.draw(1, 0, Split::wording).has_value();
    held_out += is_held_out ? 1 : 0;
    std::set<std::string> trained, tests;
    for (uint64_t index = 0; index < 40; ++index) {
      if (const auto p = question.draw(1, index, Split::train)) trained.insert(p->question);
      if (const auto p = question.draw(2, index, Split::numbers)) tests.insert(p->question);
    }
    CHECK(trained.empty() == is_held_out);
    CHECK(tests.empty() == is_held_out);
    for (const std::string& test : tests) CHECK(!trained.contains(test));
  }
  CHECK(held_out > 0);
  CHECK(held_out < 20);
}

TEST_CASE("a question whose numbers cannot be told apart is refused") {
  CHECK(refusal_of_equation("6排树，每排6棵，共几棵？", "6*6", "36") == "refused: number twice");
  CHECK(refusal_of_equation("三个班，每班3棵树，又种5棵，共几棵？", "3*3+5", "14") == "refused: number twice");
  CHECK(refusal_of_equation("5天看30页，还有8页，每天看几页？", "30/5", "6") == "refused: number unused");
  CHECK(refusal_of_equation("买8支笔花16元，又买了同样的一些，花45元", "16/8*45/37", "90/37") ==
        "refused: number unknown");
  CHECK(refusal_of_equation("路长60米，每小时修60分钟", "60*60", "3600") == "refused: number twice");
  CHECK(refusal_of_equation("路长60米，走了1小时，每分钟几米？", "60/60", "1") == "refused: number ambiguous");
  CHECK(refusal_of_equation("第5排有8人，第9排有3人，共几人？", "8+3", "11") == "refused: number is a name");
  CHECK(refusal_of_equation("2008年有30人，后来多了8人", "30+8", "38") == "refused: number is a name");
  CHECK(refusal_of_equation("绳长3(1/2)米，用去2米", "3.5-2", "1.5") == "refused: number not read");
  CHECK(refusal_of_equation("有30人，走了8人", "30-8", "23") == "refused: other answer");
  CHECK(refusal_of_equation("有30人，走了8人", "8-30", "-22") == "refused: no equation");
  CHECK(refusal_of_equation("正方形边长5米，面积多少？", "5^2", "25") == "refused: no equation");
  CHECK(refusal_of_equation("有30人，走了8人\nA. 22", "30-8", "A") == "refused: no number");
  CHECK(refusal_of(marked_line(kShells, "48/2 = <<48/2=25>>25\n#### 25")) == "refused: false step");
  CHECK(refusal_of(marked_line(kShells, "It is 48 + 31 = <<48+31=79>>79.\n#### 79")) == "refused: number unknown");
  CHECK(refusal_of(marked_line(kShells, "It is 72.\n#### 72")) == "refused: number unknown");
  CHECK(refusal_of(marked_line("Rosa gave away 1/2 of 48 shells in 2 days. How many?",
                               "48*1/2 = <<48*1/2=24>>24\n#### 24")) == "refused: number ambiguous");
  std::string many = "0";
  for (int i = 10; i < 60; ++i) many += fmt::format(", {}", i);
  CHECK(refusal_of_equation("数：" + many, "10+11", "21") == "refused: too long");
  CHECK(refusal_of_equation("30" + std::string(5000, '*'), "30*2", "60") == "refused: too long");
  CHECK(refusal_of(marked_line("Why?", "Because.\n#### 72")) == "refused: no number");
}

TEST_CASE("a line that is no question is an error") {
  CHECK(error_of([] { RealProblem::read("text"); }).find("is not JSON") != std::string::npos);
  CHECK(error_of([] { RealProblem::read(R"({"text": "a"})"); }).starts_with("has no question with its answer"));
  CHECK(error_of([] { read(equation_line("有30人，走了8人", "30-8", "22")).draw(1, 0, Split::range); }) ==
        "split range: real questions are held out by numbers or wording");
}

}  // namespace tinyllm::test
