#include <tinyllm/train/problems/chain.h>

#include <tinyllm/runtime/reason/calculator.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tinyllm::problems {
namespace {

struct Operation {
  int64_t a, b;
  char sign;
};

// An operation on two whole numbers without signs.
std::optional<Operation> whole_operation(const std::string& expression) {
  const size_t at = expression.find_first_of("*/");
  if (at == std::string::npos) return {};
  Operation operation{0, 0, expression[at]};
  const char* middle = expression.data() + at;
  const char* end = expression.data() + expression.size();
  const auto a = std::from_chars(expression.data(), middle, operation.a);
  const auto b = std::from_chars(middle + 1, end, operation.b);
  const bool is_one = a.ec == std::errc() && a.ptr == middle && b.ec == std::errc() && b.ptr == end;
  return is_one && operation.a > 0 && operation.b > 0 ? std::optional(operation) : std::nullopt;
}

// A number by its digits: 407 as 400 and 7.
std::vector<int64_t> places(int64_t number) {
  std::vector<int64_t> found;
  for (int64_t unit = 1; number > 0; number /= 10, unit *= 10) {
    if (number % 10 > 0) found.insert(found.begin(), number % 10 * unit);
  }
  return found;
}

std::vector<std::string> product(int64_t a, int64_t b, const std::string& result) {
  if (places(a).size() < places(b).size()) std::swap(a, b);
  const std::vector<int64_t> parts = places(b).size() > 1 ? places(b) : places(a);
  const int64_t whole = places(b).size() > 1 ? a : b;
  std::vector<std::string> sums, lines;
  for (const int64_t part : parts) {
    sums.push_back(fmt::format("{}*{}", whole, part));
    lines.push_back(fmt::format("{}*{}={}", whole, part, whole * part));
  }
  lines.insert(lines.begin(), fmt::format("{}*{}={}", a, b, fmt::join(sums, "+")));
  int64_t sum = whole * parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const int64_t next = whole * parts[i];
    lines.push_back(fmt::format("{}+{}={}", sum, next, sum + next));
    sum += next;
  }
  if (std::to_string(sum) != result) throw Error("{}*{}={}: is {}", a, b, result, sum);
  return lines;
}

std::vector<std::string> quotient(int64_t a, int64_t b, int64_t result) {
  std::vector<std::string> lines;
  int64_t rest = a, so_far = 0;
  for (const int64_t part : places(result)) {
    lines.push_back(fmt::format("{}*{}={}", b, part, b * part));
    if (rest > b * part) lines.push_back(fmt::format("{}-{}={}", rest, b * part, rest - b * part));
    if (so_far > 0) lines.push_back(fmt::format("{}+{}={}", so_far, part, so_far + part));
    rest -= b * part;
    so_far += part;
  }
  lines.push_back(fmt::format("{}/{}={}", a, b, result));
  return lines;
}

std::vector<std::string> equations(const std::string& expression, const std::string& result) {
  const std::optional<Operation> operation = whole_operation(expression);
  const bool is_whole = result.find_first_not_of("0123456789") == std::string::npos;
  if (operation && is_whole && operation->sign == '*') {
    const size_t a = places(operation->a).size(), b = places(operation->b).size();
    if (std::min(a, b) > 1 || std::max(a, b) > 3) return product(operation->a, operation->b, result);
  }
  if (operation && is_whole && operation->sign == '/' && places(operation->b).size() > 1) {
    const int64_t value = std::stoll(result);
    if (places(value).size() > 1) return quotient(operation->a, operation->b, value);
  }
  return {expression + "=" + result};
}

}  // namespace

const std::string& checked(const std::string& equation) {
  const Calculated calculated = calculate(equation);
  const bool* holds = std::get_if<bool>(&calculated);
  if (holds == nullptr || !*holds) throw Error("{}: is {}, expected a true equation", equation, str(calculated));
  return equation;
}

std::string worked_out(const std::string& expression, const std::string& result, Language language) {
  if (expression == result) return result;
  std::string text;
  for (const std::string& equation : equations(expression, result)) {
    if (!text.empty()) text += language == Language::chinese ? "，" : ", ";
    text += checked(equation);
  }
  return text;
}

}  // namespace tinyllm::problems
