#include <doctest/doctest.h>

#include <tinyllm/runtime/generate.h>
#include <tinyllm/runtime/reason/calculator_constraint.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/runtime/reason/open_equation.h>
#include <tinyllm/tensor/base/random.h>

#include "runtime/constraint/table_tokenizer.h"
#include "runtime/model_to_ask.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace tinyllm::test {
namespace {
using Results = std::vector<std::string>;

Results results(const std::string& text) {
  const std::optional<OpenEquation> open = open_equation(text);
  return open ? open->results : Results{};
}

// Tokens that reach over the borders of numbers and equations.
TableTokenizer arithmetic_tokenizer() {
  return TableTokenizer({"12", "=",  "==",   "=1", ")=", " =", " 7", "7",  "0.", ".5", "5.", "余",     "……", "万",
                         "。", "，", "3+4=", "/5", "%",  "00", " ",  "\n", "个", "×",  "=3", "答案：", "+1", "1,2"});
}

std::string draw(const TableTokenizer& tokenizer, const Constraint& constraint, const std::string& text, Random& random,
                 int count) {
  std::vector<int32_t> answer = tokenizer.encode(text);
  // Arithmetic for the most part, also in single bytes.
  std::vector<int32_t> usual = tokenizer.encode("0123456789+-*/=().% ,\n");
  for (int32_t token = 259; token < tokenizer.size(); ++token) usual.push_back(token);
  for (int i = 0; i < count; ++i) {
    const NextTokens next = constraint(answer);
    CHECK(next.forced.empty());
    std::vector<int32_t> choices;
    for (const int32_t token : usual)
      if (next.allowed == nullptr || next.allowed->at(static_cast<size_t>(token))) choices.push_back(token);
    REQUIRE(!choices.empty());
    answer.push_back(choices[static_cast<size_t>(random.below(std::ssize(choices)))]);
  }
  return tokenizer.decode(answer);
}
}  // namespace

TEST_CASE("an open equation has the forms of its result") {
  CHECK(results("36*47=") == Results{"1692"});
  CHECK(results("所以 3 + 4 = ") == Results{"7"});
  CHECK(results("（３＋４）×２＝") == Results{"14"});
  CHECK(results("6/4*2+1=") == Results{"4"});
  CHECK(results("1/4+1/4=") == Results{"0.5", "1/2"});
  CHECK(results("1/3+1/3=") == Results{"2/3"});
  CHECK(results("1-20%=") == Results{"0.8", "4/5", "80%"});
  CHECK(results("17÷5=") == Results{"3.4", "3余2", "3……2", "3...2", "3…2"});
  CHECK(results("36*47=36*40+36*7=") == Results{"1692"});
  CHECK(results("3-5=") == Results{"-2"});
  // Half written.
  CHECK(results("36*47=16") == Results{"1692"});
  CHECK(results("36*47=1692") == Results{"1692"});
}

TEST_CASE("other equations are not open") {
  for (const std::string text : {"", "=", "x=", "3=", "x+3=", "概率=3/5", "3+4=7。", "3+4=7 个", "3+4=8", "10/3≈",
                                 "1/0=", "3+4", "3+4=\n", "3元+4元=", "3:4+1=x", "10/3=约"}) {
    CAPTURE(text);
    CHECK(results(text).empty());
  }
}

TEST_CASE("a result may end, and nothing may change it") {
  const auto may_follow = [](const std::string& text, const std::string& more) {
    return open_equation(text)->may_go_on(more);
  };
  for (const std::string more : {"7", " 7", " ", "7。", "7个", "7.", "7, ", "7\n", "7 ", "7="}) {
    CAPTURE(more);
    CHECK(may_follow("3+4=", more));
  }
  for (const std::string more :
       {"8", "70", "7.5", "7/2", "7%", "7,000", "7万", "7+1", "7×2", "x", "-7", "  7", "。", "7.."}) {
    CAPTURE(more);
    CHECK_FALSE(may_follow("3+4=", more));
  }
  CHECK_FALSE(may_follow("3+4=7.", "5"));
  CHECK(may_follow("3+4=7.", "\n"));
  CHECK(may_follow("3+4=7 ", "12*3="));
  CHECK_FALSE(may_follow("3+4=7 ", "+1"));
  CHECK_FALSE(may_follow("3+4=7  ", "×1"));
  CHECK(may_follow("1-20%=", "80%。"));
  CHECK_FALSE(may_follow("1-20%=", "80。"));
}

TEST_CASE("whatever is drawn, every result of an expression is right") {
  const TableTokenizer tokenizer = arithmetic_tokenizer();
  const CalculatorConstraints constraints(tokenizer, tokenizer.size());
  Random random(7);
  int checked = 0;
  for (int round = 0; round < 2000; ++round) {
    const Constraint constraint = constraints.make();
    const std::string begin =
        std::to_string(random.below(100)) + (round % 2 == 0 ? "+" : "/") + std::to_string(1 + random.below(30)) + '=';
    const std::string text = draw(tokenizer, constraint, begin, random, 24);
    CAPTURE(text);
    for (const Equation& equation : equations_in(text)) {
      for (size_t i = 1; i < equation.sides.size(); ++i) {
        const EquationSide& left = equation.sides[i - 1];
        const bool has_operator =
            text.substr(left.begin + 1, left.end - left.begin - 1).find_first_of("+-*/^") != text.npos;
        const bool is_cut_off = equation.sides[i].end + 1 >= text.size();
        if (!has_operator || equation.sides[i].is_approximate || is_cut_off) continue;
        CHECK(equation.sides[i].holds);
        ++checked;
      }
    }
  }
  CHECK(checked > 100);
}

TEST_CASE("without an equation nothing is restricted, and what no token writes is not either") {
  const TableTokenizer tokenizer({"+", "="});
  const CalculatorConstraints constraints(tokenizer, tokenizer.size() + 5);
  const Constraint constraint = constraints.make();
  CHECK(constraint({}).allowed == nullptr);
  CHECK(constraint(tokenizer.encode("3+4")).allowed == nullptr);
  CHECK(constraint(tokenizer.encode("3+4=8")).allowed == nullptr);
  const NextTokens next = constraint(tokenizer.encode("3+4="));
  REQUIRE(next.allowed != nullptr);
  CHECK(std::ssize(*next.allowed) == tokenizer.size() + 5);
  CHECK(next.allowed->at(static_cast<size_t>(tokenizer.encode("7")[0])));
  CHECK_FALSE(next.allowed->at(static_cast<size_t>(tokenizer.encode("8")[0])));
  CHECK_FALSE(next.allowed->at(TableTokenizer::kEnd));
  // After the result it may end; rows without a token stay out.
  const NextTokens end = constraint(tokenizer.encode("3+4=7"));
  REQUIRE(end.allowed != nullptr);
  CHECK(end.allowed->at(TableTokenizer::kEnd));
  CHECK_FALSE(end.allowed->back());
}

TEST_CASE("the calculator's tokens are told from the model's own") {
  const TableTokenizer tokenizer({"=1", "92"});
  const CalculatorConstraints constraints(tokenizer, tokenizer.size());
  std::vector<int32_t> answer = tokenizer.encode("3+4=7。12*");
  for (const int32_t token : tokenizer.encode("16=19")) answer.push_back(token);
  const std::vector<bool> written = constraints.written(answer);
  std::string marks;
  for (const bool mark : written) marks += mark ? '^' : '.';
  // Byte by byte; 。 has three.
  CHECK(marks == "....^.........^^");
}

TEST_CASE("an equation may begin in the prompt") {
  const TableTokenizer tokenizer({"="});
  const CalculatorConstraints constraints(tokenizer, tokenizer.size());
  const auto may_follow = [&](const Constraint& constraint, const std::string& answer, const std::string& next) {
    const NextTokens tokens = constraint(tokenizer.encode(answer));
    return tokens.allowed == nullptr || tokens.allowed->at(static_cast<size_t>(tokenizer.encode(next)[0]));
  };
  for (const std::string before : {"", "3-1=", "一", "长"}) {
    std::string begun;
    // More than is looked at, in all the ways in which characters may be cut.
    for (int i = 0; i < 1000; ++i) begun += before;
    const Constraint constraint = constraints.make(begun + "。123*45=");
    CAPTURE(before);
    CHECK(may_follow(constraint, "", "5"));
    CHECK_FALSE(may_follow(constraint, "", "1"));
    CHECK(may_follow(constraint, "55", "3"));
    CHECK_FALSE(may_follow(constraint, "55", "5"));
    CHECK_FALSE(may_follow(constraint, "5535", "0"));
    CHECK(may_follow(constraint, "5535。", "0"));
  }
  CHECK_FALSE(may_follow(constraints.make("12"), "*3=", "6"));
  // What is far behind matters no more.
  CHECK(may_follow(constraints.make("3+4="), "7。" + std::string(1000, 'x'), "1"));
}

TEST_CASE("the calculator's tokens are told also where the prompt has begun the equation") {
  const TableTokenizer tokenizer({"="});
  const CalculatorConstraints constraints(tokenizer, tokenizer.size());
  const std::vector<int32_t> answer = tokenizer.encode("4=12x");
  CHECK(constraints.written(answer, "3*") == std::vector<bool>{false, false, true, true, false});
  CHECK(constraints.written(answer) == std::vector<bool>(5, false));
}

TEST_CASE("answers with a calculator have the same bits alone and together") {
  const Model model = model_to_ask();
  const CalculatorConstraints constraints(*model.tokenizer, model.config.vocab_size);
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 6; ++i) {
    Request request;
    request.prompt = random_tokens(model, i, 5 + static_cast<int64_t>(i));
    request.options.max_tokens = 24;
    request.options.sampling.temperature = i % 2 == 0 ? 0.0f : 1.0f;
    request.options.sampling.seed = i;
    // The model says no equation of its own: begin with one.
    const std::vector<int32_t> begin = model.tokenizer->encode("1" + std::to_string(i) + "*3=");
    request.options.constraint = [begin, calculator = constraints.make()](std::span<const int32_t> answer) mutable {
      if (answer.size() < begin.size()) return NextTokens{.forced = {begin[answer.size()]}};
      return calculator(answer);
    };
    requests.push_back(request);
  }
  Session together(model);
  const std::vector<Completion> all = generate(together, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    Session alone(model);
    const std::vector<Completion> one = generate(alone, std::span(requests).subspan(i, 1));
    CHECK(one[0].tokens == all[i].tokens);
    CAPTURE(all[i].text);
    CHECK(all[i].text.starts_with("1" + std::to_string(i) + "*3="));
    const std::optional<OpenEquation> open = open_equation(all[i].text.substr(0, 5));
    REQUIRE(open.has_value());
    CHECK(open->may_go_on(all[i].text.substr(5, 2)));
  }
}

}  // namespace tinyllm::test
