#include "runtime/reason/cases.h"

#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/calculator.h>

#include <string>
#include <utility>
#include <vector>

namespace tinyllm::test {
namespace {
std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

using Cases = std::vector<std::pair<std::string, std::string>>;

void check(const Cases& cases) {
  for (const auto& row : cases) {
    CAPTURE(row.first);
    CHECK(str(calculate(row.first)) == row.second);
  }
}
}  // namespace

TEST_CASE("the calculator gives the value or the error of every case") {
  for (const auto& row : cases("expressions.jsonl")) {
    const auto expression = row["expr"].get<std::string>();
    CAPTURE(expression.substr(0, 100));
    CHECK(str(calculate(expression)) == (row.contains("value") ? row["value"] : row["error"]).get<std::string>());
  }
}

TEST_CASE("operators bind and group as in mathematics") {
  check({{"-2^2", "-4"},
         {"2^-1", "1/2"},
         {"-(-2)^2", "-4"},
         {"2*-3^2", "-18"},
         {"2**3", "8"},
         {"2**3**2", "512"},
         {"-2**2", "-4"},
         {"100/10/5", "2"},
         {"2^3%", "non_integer_exponent"},
         {"(2^3)%", "2/25"},
         {"{[(1+2)*3]-4}*2", "10"},
         {"1-(2-(3-4))", "-2"},
         {"5-+-5", "10"},
         {"(-1)^4096", "1"},
         {"0^0^0", "undefined"},
         {"0*5", "0"},
         {"-0", "0"},
         {"(-8)/(-2)", "4"},
         {"2^0", "1"},
         {"1/2/3", "1/6"},
         {"1/(2/3)", "3/2"},
         {"3*(1/3)", "1"},
         {"0.1+0.2=0.3", "true"}});
}

TEST_CASE("other scripts' signs are those of ASCII") {
  check({{"３＋４＝７", "true"},
         {"｛１＋２｝×３", "9"},
         {"１００％", "1"},
         {"1，234＋1", "1235"},
         {"０．５", "1/2"},
         {"3·4", "12"},
         {"3∗4", "12"},
         {"3∕4", "3/4"},
         {"3⁄4", "3/4"},
         {"2≤3", "true"},
         {"2≦3", "true"},
         {"3≠3", "false"},
         {"３＜４", "true"},
         {"2*３", "6"},
         {"𝟏+𝟐", "3"},
         {"1\t+\n2", "3"},
         {"1 + 2", "3"},
         {"５‰", "1/200"},
         {"1e３", "1000"},
         {"3：4", "unknown_character"},
         {"3²", "unknown_character"},
         {"½", "unknown_character"},
         {"三+四", "unknown_character"},
         {"1≈1", "unknown_character"},
         {"$3", "unknown_character"}});
}

TEST_CASE("comparisons are chains of any signs") {
  check({{"1<2<3", "true"},
         {"1<2>1", "true"},
         {"1<3<2", "false"},
         {"3!=4", "true"},
         {"2<=2", "true"},
         {"2>=3", "false"},
         {"1/3=2/6", "true"},
         {"50%=0.5=1/2", "true"},
         {"1=1/0", "division_by_zero"},
         {"=3", "syntax"},
         {"3=", "syntax"},
         {"1===1", "syntax"},
         {"(1=1)", "syntax"},
         {"1<>2", "syntax"},
         {"1=!2", "syntax"}});
}

TEST_CASE("numbers have one form") {
  check({{"1,234,567", "1234567"},
         {"12,345.67", "1234567/100"},
         {"1,234e2", "123400"},
         {"1e+3", "1000"},
         {"1E0", "1"},
         {"007", "7"},
         {"0.50", "1/2"},
         {".25", "1/4"},
         {"00.5", "1/2"},
         {"1e-3", "1/1000"},
         {"1234,567", "syntax"},
         {"12,34", "syntax"},
         {"1,23", "syntax"},
         {"1.", "syntax"},
         {".", "syntax"},
         {",123", "syntax"},
         {"1,", "syntax"},
         {"1e", "syntax"},
         {"1e+", "syntax"},
         {"1.e3", "syntax"},
         {"e3", "unknown_character"},
         {"1_000", "unknown_character"}});
}

TEST_CASE("an expression that has two readings or none is an error of its kind") {
  check({{"2(3)", "implicit_multiplication"},
         {"(2)(3)", "implicit_multiplication"},
         {"10%3", "implicit_multiplication"},
         {"2^3 4", "implicit_multiplication"},
         {"6÷2(1+2)", "implicit_multiplication"},
         {"1 .5", "implicit_multiplication"},
         {"", "empty"},
         {"　", "empty"},
         {"*3", "syntax"},
         {"3*", "syntax"},
         {"3^", "syntax"},
         {"^3", "syntax"},
         {"[]", "syntax"},
         {"(1+)", "syntax"},
         {"1*/2", "syntax"},
         {"(", "unbalanced"},
         {"(1+2]", "unbalanced"},
         {"1+2)", "unbalanced"},
         {"((1)", "unbalanced"},
         {"{1)", "unbalanced"},
         {"1+a", "unknown_character"},
         {"sqrt(4)", "unknown_character"},
         {"1\xFF", "unknown_character"},
         {"1\xE4\xB8", "unknown_character"},
         {"1\x01", "unknown_character"},
         {"5\x80", "unknown_character"}});
  // An error of form comes before one of value.
  check({{"1/0+", "syntax"},
         {"1/0)", "unbalanced"},
         {"9^9^9 1", "implicit_multiplication"},
         {"1/0+0^0", "division_by_zero"},
         {"0^0+1/0", "undefined"}});
}

TEST_CASE("limits hold where they are, and not before") {
  check({{repeated("(", 64) + "1" + repeated(")", 64), "1"},
         {repeated("(", 65) + "1" + repeated(")", 65), "limit_depth"},
         {repeated("-", 64) + "1", "1"},
         {repeated("-", 65) + "1", "limit_depth"},
         {repeated("1^", 64) + "1", "1"},
         {repeated("1^", 65) + "1", "limit_depth"},
         {repeated("(-", 32) + "1" + repeated(")", 32), "1"},
         {repeated("(-", 33) + "1" + repeated(")", 33), "limit_depth"},
         // Depth is counted, not how many there are.
         {repeated("(1)+", 500) + "1", "501"},
         {repeated("-1+", 500) + "500", "0"},
         {repeated(" ", 4095) + "1", "1"},
         {repeated(" ", 4096) + "1", "limit_length"},
         {"1^4096", "1"},
         {"1^4097", "limit_exponent"},
         {"2^-4097", "limit_exponent"},
         {"0^-4097", "limit_exponent"},
         {"2^99999999999999999999", "limit_exponent"},
         {"2^0.5^2", "non_integer_exponent"},
         {"1e4096/1e4095", "10"},
         {"1e-4096*1e4096", "1"},
         {"1e-4097", "limit_exponent"},
         {"0e5000", "limit_exponent"},
         {"2^4096*2^4096*2^4096*2^4095/(2^4096*2^4096*2^4096*2^4095)", "1"},  // 16384 bits
         {"2^4096*2^4096*2^4096*2^4096", "limit_size"},
         {"1/(2^4096*2^4096*2^4096*2^4096)", "limit_size"},
         {"1/2^4096/2^4096/2^4096/2^4096", "limit_size"},
         {"1e4096+1e4096=2e4096", "true"},
         {"1e4096*1e4096", "limit_size"},
         {"(2^64)^64=2^4096", "true"},
         {"(2^4096)^4", "limit_size"},
         {"(2^4096)^3/(2^4096)^3", "1"}});
}

TEST_CASE("the work of one expression is bounded, whatever its numbers are") {
  std::string sum = "3^4096/7^4096";
  for (int i = 4095; sum.size() < 4000; --i) sum += "+3^4096/7^" + std::to_string(i);
  check({{sum, "limit_work"}, {"1e4096" + repeated("%", 4000), "limit_work"}});
}

TEST_CASE("numbers of 64 bits and beyond are one kind of number") {
  check({{"9223372036854775807+1-1", "9223372036854775807"},
         {"-9223372036854775807-1", "-9223372036854775808"},
         {"-9223372036854775808*-1", "9223372036854775808"},
         {"(-9223372036854775807-1)/-1", "9223372036854775808"},
         {"1/(-9223372036854775807-1)", "-1/9223372036854775808"},
         {"4294967296*4294967296/4294967296", "4294967296"},
         {"1/4294967296/4294967296*4294967296*4294967296", "1"},
         {"1/3037000500+1/3037000501", "6074001001/9223372040037250500"},
         {"9223372036854775808=9223372036854775807+1", "true"},
         {"9223372036854775808>9223372036854775807", "true"},
         {"1/9223372036854775808<1/9223372036854775807", "true"}});
}

TEST_CASE("a rational number is written as a fraction, as decimals, and rounded") {
  const auto value = [](const char* expression) { return std::get<Rational>(calculate(expression)); };
  CHECK(value("3/8").decimal(3) == "0.375");
  CHECK_FALSE(value("3/8").decimal(2).has_value());
  CHECK_FALSE(value("1/3").decimal(6).has_value());
  CHECK(value("-1/200").decimal(6) == "-0.005");
  CHECK(value("1200").decimal(0) == "1200");
  CHECK(value("1e20/8").decimal(0) == "12500000000000000000");
  CHECK(value("10/3").rounded(2) == value("3.33"));
  CHECK(value("2.5").rounded(0) == Rational(3));
  CHECK(value("-2.5").rounded(0) == Rational(-3));
  CHECK(value("0.125").rounded(2) == value("0.13"));
  CHECK(value("1250").rounded(-2) == Rational(1300));
  CHECK(value("1e30+0.4").rounded(0) == value("1e30"));
  CHECK(-value("9223372036854775808") == value("-9223372036854775808"));
  CHECK(value("-1/2") < Rational(0));
  CHECK(value("1/2").sign() == 1);
  CHECK(value("4/2").is_integer());
}

}  // namespace tinyllm::test
