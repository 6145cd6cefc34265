#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/equation_signs.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/runtime/reason/number_literal.h>
#include <tinyllm/runtime/reason/open_equation.h>

#include <algorithm>
#include <array>

namespace tinyllm {
namespace {
constexpr size_t kMaxLeft = 512;
constexpr size_t kMaxResult = 48;
constexpr int kMaxDecimals = 6;

// Operators in other signs than those of ASCII.
constexpr auto kOperatorSigns = std::to_array<std::string_view>(
    {"×", "÷", "·", "⋅", "＋", "－", "−", "＊", "／", "％", "＾", "‰", "\\times", "\\div", "\\cdot"});
// Right behind a number, these make another one of it.
constexpr auto kChanging =
    std::to_array<std::string_view>({"万", "亿", "千", "百", "十", "成", "折", "又", "余", "点", "分之", "…",
                                     "．", "０", "１", "２", "３", "４", "５", "６", "７", "８", "９"});

// The operands of 17/5 and 17÷5.
std::optional<std::pair<Rational, Rational>> whole_division(const std::string& signs) {
  Arithmetic arithmetic;
  const std::optional<NumberLiteral> above = number_literal(signs, 0, false, arithmetic);
  if (!above || above->end >= signs.size() || signs[above->end] != '/') return {};
  const std::optional<NumberLiteral> below = number_literal(signs, above->end + 1, false, arithmetic);
  if (!below || below->end != signs.size() || arithmetic.error()) return {};
  if (!above->value.is_integer() || !below->value.is_integer() || above->value.sign() <= 0) return {};
  return std::pair(above->value, below->value);
}

// A value as it may be written behind an expression.
std::vector<std::string> results_of(const Rational& value, std::string_view expression) {
  std::string signs = equation_signs(expression).signs;
  std::erase(signs, ' ');
  std::vector<std::string> results;
  const auto add = [&](std::string text) {
    if (text.size() <= kMaxResult && text != signs) results.push_back(std::move(text));
  };
  if (const auto decimal = value.decimal(kMaxDecimals)) add(*decimal);
  if (!value.is_integer()) add(value.str());
  if (signs.find('%') != std::string::npos) {
    Arithmetic arithmetic;
    const auto percent = arithmetic.product(value, 100).decimal(kMaxDecimals);
    if (percent && !arithmetic.error()) add(*percent + '%');
  }
  if (const auto division = whole_division(signs); division && !value.is_integer()) {
    Arithmetic arithmetic;
    const Rational half = arithmetic.quotient(1, 2);
    const Rational quotient = arithmetic.difference(value, half).rounded(0);  // The whole number below.
    const Rational remainder = arithmetic.difference(division->first, arithmetic.product(quotient, division->second));
    for (const std::string_view sign : {"余", "……", "...", "…"})
      add(quotient.str() + std::string(sign) + remainder.str());
  }
  return results;
}
}  // namespace

bool leaves_number(std::string_view behind) {
  const size_t first = behind.find_first_not_of(' ');
  if (first == std::string_view::npos) return true;
  const bool is_apart = first > 0;
  behind.remove_prefix(first);
  constexpr std::string_view kOperators = "+-*/%^";
  if (kOperators.find(behind[0]) != std::string_view::npos) return false;
  if (is_apart) {  // 7 12*3=36: another equation may begin.
    return std::none_of(kOperatorSigns.begin(), kOperatorSigns.end(),
                        [&](std::string_view sign) { return behind.starts_with(sign); });
  }
  if (is_digit(behind[0]) || behind[0] == 'e' || behind[0] == 'E') return false;
  const bool is_point = behind[0] == '.' || behind[0] == ',';
  if (is_point && behind.size() > 1 && (is_digit(behind[1]) || behind[1] == '.')) return false;
  const auto begins = [&](std::string_view sign) { return behind.starts_with(sign); };
  return std::none_of(kOperatorSigns.begin(), kOperatorSigns.end(), begins) &&
         std::none_of(kChanging.begin(), kChanging.end(), begins);
}

std::optional<std::string> OpenEquation::behind() const {
  for (const std::string& result : results) {
    if (!begun.starts_with(result)) continue;
    const std::string_view rest = std::string_view(begun).substr(result.size());
    if (rest == "." || rest == ",") return std::string(rest);
    if (rest.find_first_not_of(' ') == std::string_view::npos) return rest.empty() ? "" : " ";
  }
  return {};
}

bool OpenEquation::may_go_on(std::string_view more) const {
  if (may_have_blank && more.starts_with(' ')) more.remove_prefix(1);
  const std::string all = begun + std::string(more);
  return std::any_of(results.begin(), results.end(), [&](const std::string& result) {
    if (result.starts_with(all)) return true;
    return all.starts_with(result) && leaves_number(std::string_view(all).substr(result.size()));
  });
}

bool OpenEquation::writes(std::string_view more) const {
  if (may_have_blank && more.starts_with(' ')) more.remove_prefix(1);
  const std::string all = begun + std::string(more);
  return std::any_of(results.begin(), results.end(), [&](const std::string& result) {
    return result.starts_with(begun) && result != begun && (result.starts_with(all) || all.starts_with(result));
  });
}

std::string OpenEquation::next_bytes() const {
  std::string bytes = may_have_blank ? " " : "";
  for (const std::string& result : results)
    if (result.size() > begun.size() && result.starts_with(begun)) bytes += result[begun.size()];
  std::sort(bytes.begin(), bytes.end());
  bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
  return bytes;
}

std::optional<OpenEquation> open_equation(std::string_view text) {
  const size_t window = kMaxLeft + kMaxResult;
  if (text.size() > window) text = text.substr(text.size() - window);
  const size_t line = text.rfind('\n');
  if (line != std::string_view::npos) text = text.substr(line + 1);
  size_t right = std::string_view::npos;
  for (const std::string_view sign : {"=", "＝"}) {
    const size_t at = text.rfind(sign);
    if (at != std::string_view::npos && (right == std::string_view::npos || at + sign.size() > right))
      right = at + sign.size();
  }
  if (right == std::string_view::npos || text.size() - right > kMaxResult + 1) return {};
  std::string_view begun = text.substr(right);
  if (begun.starts_with(' ')) begun.remove_prefix(1);
  // With some number on its right, it is an equation.
  const std::vector<Equation> equations = equations_in(std::string(text.substr(0, right)) + '0');
  if (equations.empty() || equations.back().sides.back().begin != right) return {};
  const std::vector<EquationSide>& sides = equations.back().sides;
  const EquationSide& left = sides[sides.size() - 2];
  if (sides.back().is_approximate) return {};
  const std::string_view expression = text.substr(left.begin, left.end - left.begin);
  const std::string signs = equation_signs(expression).signs;
  if (signs.find_first_of("+-*/^", 1) == std::string::npos) return {};
  OpenEquation open{results_of(left.value, expression), std::string(begun), right == text.size()};
  const bool has_begun = std::any_of(open.results.begin(), open.results.end(),
                                     [&](const std::string& result) { return result.starts_with(begun); });
  if (!has_begun && !open.behind()) return {};  // Something else stands there, or a result that has ended.
  return open;
}

}  // namespace tinyllm
