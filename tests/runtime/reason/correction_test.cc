#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/correction.h>
#include <tinyllm/runtime/reason/equations.h>

#include <string>
#include <vector>

namespace tinyllm::test {
namespace {
struct Case {
  std::string question;
  std::string chain;
  std::string corrected;
};
}  // namespace

TEST_CASE("a false result is corrected with all that follows from it") {
  for (const Case& c :
       std::vector<Case>{{"12*(3+4)-10", "3+4=8。12*8=96。96-10=86。\n【最终答案】\n答案：86。\n",
                          "3+4=7。12*7=84。84-10=74。\n【最终答案】\n答案：74。\n"},
                         {"", "36*47=36*40+36*7=1792。答案：1792", "36*47=36*40+36*7=1692。答案：1692"},
                         {"", "1/2+1/3=2/5。2/5*3=6/5。答案：6/5", "1/2+1/3=5/6。(5/6)*3=5/2。答案：5/2"},
                         {"", "1/3+1/3=1/6。1-1/6=5/6。", "1/3+1/3=2/3。1-(2/3)=1/3。"},
                         {"", "10/4=3。3*2=6。#### 6", "10/4=2.5。2.5*2=5。#### 5"},
                         {"", "1/4=20%。20%*80=16。答案：16元", "1/4=25%。25%*80=20。答案：20元"},
                         {"", "10/3≈3.34。3.34*2=6.68。答案：6.68", "10/3≈3.33。3.33*2=6.66。答案：6.66"},
                         {"", "She has <<16-3-4=8>>8 eggs.\n#### 8", "She has <<16-3-4=9>>9 eggs.\n#### 9"},
                         {"", "<<3+4=8>>8*2=16", "<<3+4=7>>7*2=14"},
                         {"8", "<<3+4=8>>8*2=16", "<<3+4=7>>7*2=14"},
                         {"", "3-5=2。2*4=8。答案：8", "3-5=-2。(-2)*4=-8。答案：-8"},
                         {"", "3×4＝13。13＋1＝14。答案：１４", "3×4＝12。12＋1＝13。答案：13"},
                         {"", "5*5=24. 24*1.5=36. \\boxed{36}", "5*5=25. 25*1.5=37.5. \\boxed{37.5}"},
                         {"", "3+4=8=2*4。答案：8", "3+4=7=2*4。答案：7"}}) {
    CAPTURE(c.chain);
    CHECK(corrected_chain(c.question, c.chain).text == c.corrected);
  }
}

TEST_CASE("what is true stays as it is") {
  for (const std::string chain : {"3+4=7。12*7=84。84-10=74。\n【最终答案】\n答案：74。\n", "10/3≈3.33。3.33*3=9.99。",
                                  "", "没有算式。", "x+3=8。答案：5", "\xFF 3+4=7"}) {
    const CorrectedChain result = corrected_chain("", chain);
    CHECK(result.text == chain);
    CHECK(result.corrections.empty());
    CHECK(result.doubtful.empty());
  }
}

TEST_CASE("a number that may come from elsewhere is reported and stays") {
  // From the question, in digits of any script.
  for (const std::string question : {"有8个，每个2元", "有８个"}) {
    const CorrectedChain result = corrected_chain(question, "3+4=8。8*2=16。答案：16");
    CHECK(result.text == "3+4=7。8*2=16。答案：16");
    CHECK(result.doubtful == std::vector<size_t>{std::string("3+4=8。").size()});
  }
  // From another equation, before the false one or behind it.
  CHECK(corrected_chain("", "2*4=8。3+4=8。8+1=9。").text == "2*4=8。3+4=7。8+1=9。");
  CHECK(corrected_chain("", "3+4=8。2*4=8。8+1=9。").text == "3+4=7。2*4=8。8+1=9。");
  // The answer too.
  CHECK(corrected_chain("8", "3+4=8。答案：8").text == "3+4=7。答案：8");
}

TEST_CASE("of two expressions that differ, either may be meant") {
  const CorrectedChain result = corrected_chain("", "12*7=12*8=96。96+1=97");
  CHECK(result.text == "12*7=12*8=96。96+1=97");
  CHECK(result.corrections.empty());
  CHECK(result.doubtful == std::vector<size_t>{5});
}

TEST_CASE("every correction is reported with its place and its reason") {
  const std::string chain = "3+4=8。12*8=96。答案：96";
  const CorrectedChain result = corrected_chain("", chain);
  using Why = Correction::Why;
  const std::vector<std::pair<Why, std::string>> expected = {
      {Why::slip, "8>7"}, {Why::operand, "8>7"}, {Why::result, "96>84"}, {Why::answer, "96>84"}};
  REQUIRE(result.corrections.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Correction& c = result.corrections[i];
    CHECK(c.why == expected[i].first);
    CHECK(c.before + '>' + c.after == expected[i].second);
    CHECK(chain.substr(c.begin, c.end - c.begin) == c.before);
  }
}

TEST_CASE("a corrected chain has no false result of numbers left") {
  // Chains of sums with slips at every place.
  for (int slip = 0; slip < 5; ++slip) {
    std::string chain;
    int64_t value = 3;
    int64_t right = 3;
    for (int step = 0; step < 5; ++step) {
      const int64_t factor = step + 11;
      chain += std::to_string(value) + '*' + std::to_string(factor) + '=';
      value = value * factor + (step == slip ? 1 : 0);
      right *= factor;
      chain += std::to_string(value) + "。";
    }
    const CorrectedChain result = corrected_chain("", chain + "答案：" + std::to_string(value));
    for (const Equation& equation : equations_in(result.text)) CHECK(equation.holds());
    CHECK(result.text.ends_with("答案：" + std::to_string(right)));
  }
}

}  // namespace tinyllm::test
