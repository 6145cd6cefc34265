#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/equations.h>

#include <string>
#include <utility>
#include <vector>

namespace tinyllm::test {
namespace {
// Each equation in braces, its sides as they are written, with ! where a link is false.
std::string found(const std::string& text) {
  std::string result;
  for (const Equation& equation : equations_in(text)) {
    result += '{';
    for (size_t i = 0; i < equation.sides.size(); ++i) {
      const EquationSide& side = equation.sides[i];
      if (i > 0) result += side.is_approximate ? "≈" : "=";
      if (!side.holds) result += '!';
      result += text.substr(side.begin, side.end - side.begin);
    }
    result += '}';
  }
  return result;
}

using Cases = std::vector<std::pair<std::string, std::string>>;
void check(const Cases& cases) {
  for (const auto& row : cases) {
    CAPTURE(row.first);
    CHECK(found(row.first) == row.second);
  }
}
}  // namespace

TEST_CASE("equations are found within text, and each link is checked") {
  check({{"3+4=7。12*7=84。84-10=75。", "{3+4=7}{12*7=84}{84-10=!75}"},
         {"36*47=36*40+36*7=1692", "{36*47=36*40+36*7=1692}"},
         {"3+4=7+1=8", "{3+4=!7+1=8}"},
         {"共2*3=6个，6+1=8个", "{2*3=6}{6+1=!8}"},
         {"总数=3+4=7", "{3+4=7}"},
         {"步骤1：3+4=7", "{3+4=7}"},
         {"Step 1: 3+4=8", "{3+4=!8}"},
         {"（12＋3）×２＝３０", "{（12＋3）×２=３０}"},
         {"3×4＝13", "{3×4=!13}"},
         {"3 \\times 4 = 12", "{3 \\times 4=12}"},
         {"<<16-3-4=9>>9", "{16-3-4=9}"},
         {"$3*4=$12", "{3*4=12}"},
         {"3*4=12千米", "{3*4=12}"},
         {"3*4=12cm", "{3*4=12}"},
         {"3/5=60%", "{3/5=60%}"},
         {"1,200+34=1,234", "{1,200+34=1,234}"},
         {"3+4==7", "{3+4=7}"},
         {"-3+5=2", "{-3+5=2}"},
         {"12/4=3(个)", "{12/4=3}"},
         {"(3+4=7)", "{3+4=7}"},
         {"5=5", "{5=5}"},
         {"80 -- 78 = 2", "{80 -- 78=2}"},
         {"①3+4=7", "{3+4=7}"},
         {"■ 3+4=8", "{3+4=!8}"},
         {"Room 5: 3+4=8", "{3+4=!8}"},
         {"97 – 12 = 86", "{97 – 12=!86}"},
         {"$100,000 + $18,000 + $16,000 = $134,000", "{100,000 + $18,000 + $16,000=134,000}"},
         {"6÷2+1/2=3.5", "{6÷2+1/2=3.5}"},
         {"1/2÷3=1/6", "{1/2÷3=1/6}"}});
}

TEST_CASE("equations in one line are apart") {
  check({{"3+4=7 12*3=37", "{3+4=7}{12*3=!37}"},
         {"3+4=7, 5+6=12", "{3+4=7}{5+6=!12}"},
         {"3+4=7,5+6=11", "{3+4=7}{5+6=11}"},
         {"3+4=7,200+1=201", "{3+4=7}{200+1=201}"},
         {"3+4=7，200+1=201", "{3+4=7}{200+1=201}"},
         {"3+4=7. 5+6=11.", "{3+4=7}{5+6=11}"},
         {"3+4=7\n5+6=12", "{3+4=7}{5+6=!12}"},
         {"1. 3+4=7", "{3+4=7}"},
         {"(1) 3+4=8", "{3+4=!8}"},
         {"- 3+4=7\n- 5+1=6", "{3+4=7}{5+1=6}"},
         {"**3+4=7**", "{3+4=7}"},
         {"所以**3+4=8**。", "{3+4=!8}"}});
}

TEST_CASE("an approximate link is right to the digits that are written") {
  check({{"10/3≈3.33", "{10/3≈3.33}"},
         {"10/3≈3.34", "{10/3≈!3.34}"},
         {"10/3约等于3.3", "{10/3≈3.3}"},
         {"10/3=约3", "{10/3≈3}"},
         {"2/3≈0.67", "{2/3≈0.67}"},
         {"2/3≈66.7%", "{2/3≈66.7%}"},
         {"2/3≈66.6%", "{2/3≈!66.6%}"},
         {"5/2≈3", "{5/2≈3}"},
         {"1234≈1200", "{1234≈1200}"},
         {"1250≈1200", "{1250≈!1200}"},
         {"10/3=3.33", "{10/3=!3.33}"},
         {"10/3 \\approx 3.33", "{10/3≈3.33}"}});
}

TEST_CASE("what cannot be computed is no equation") {
  for (const std::string text : {"x+3=7",
                                 "x=7",
                                 "2x=14",
                                 "7x+1=8",
                                 "3+4=7x",
                                 "概率=3/5",
                                 "3元+5元=8元",
                                 "3:5=6:10",
                                 "17/5=3余2",
                                 "17÷5=3……2",
                                 "256÷ 5=51（组）… … 1（个）",
                                 "17÷5=3组……2（个）",
                                 "62/14=4(题)...6",
                                 "60÷1/3=180",
                                 "32÷6=5 R 2",
                                 "32÷6=5R2",
                                 "32÷6=5$\\rm R$2",
                                 "55÷7=7(weeks) R 6",
                                 "32/6 = 5 remainder 2",
                                 "2◆3=(2×3)+4",
                                 "\\frac {2} {2+3} = 14",
                                 "450 × 2 = 18 : 45",
                                 "25 / 1/3 = 75",
                                 "96．96=1× 96",
                                 "0．5+1=1.5",
                                 "(1/2) 18 = 9",
                                 "1/7=0.\\dot{1}",
                                 "99÷ 8=12（组）$\\cdot \\cdot \\cdot 3$",
                                 "7,980 : 420 = 19",
                                 "6/7:2/3 =9/7",
                                 "100+(100*(10/100) = 110",
                                 "1 372+1 764=3 136",
                                 "450=15*x",
                                 "60 = 12(4A)",
                                 "12 x 1 and 1/4 = 15",
                                 "16,0000/10=16000",
                                 "100 - 50 = 50%",
                                 "50%+20%=70",
                                 "100克× 5 %=5克",
                                 "pages 3–5=3",
                                 "17/5=3...2",
                                 "15/2=7 1/2",
                                 "7 1/2=15/2",
                                 "12000*2=2.4万",
                                 "3*4=1又2/3",
                                 "f(2)=5",
                                 "2(3+4)=14",
                                 "(1+2)(3)=9",
                                 "3²+4²=25",
                                 "√4=2",
                                 "5!=120",
                                 "|3-5|=2",
                                 "1/0=3",
                                 "百分之3=0.03",
                                 "1又1/2=3/2",
                                 "\\frac{1}{2}+1=1.5",
                                 "1.2e3=1200",
                                 "=",
                                 "3+4=",
                                 "=7",
                                 "3+4=(x)",
                                 "九+1=10",
                                 "3+4≠8",
                                 "10/3≈3+1/3",
                                 ""}) {
    CAPTURE(text);
    CHECK(found(text) == "");
  }
}

TEST_CASE("a side has its value, and whether it is one number") {
  const auto equations = equations_in("1/2+1/3=5/6=-2.5=60%=2*3");
  REQUIRE(equations.size() == 1);
  const auto& sides = equations[0].sides;
  REQUIRE(sides.size() == 5);
  CHECK(sides[0].value == sides[1].value);
  CHECK_FALSE(sides[0].is_number);
  CHECK(sides[1].is_number);
  CHECK(sides[2].is_number);
  CHECK(sides[3].is_number);
  CHECK_FALSE(sides[4].is_number);
  CHECK_FALSE(equations[0].holds());
}

TEST_CASE("equations are found in long texts and in any bytes") {
  for (const std::string part :
       {"1 ", "1,", "(", ")", "=", "1=", "3+4=7 ", "* ", "≈", "1.", "\xFF", "-", "\\times", "约", "[1"}) {
    std::string text;
    while (text.size() < 200000) text += part;
    const auto equations = equations_in(text);
    for (const Equation& equation : equations) CHECK(equation.sides.size() > 1);
  }
}

}  // namespace tinyllm::test
