#include <tinyllm/runtime/reason/number_literal.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {
bool digits_at(std::string_view text, size_t at, size_t count) {
  if (text.size() < at + count) return false;
  return std::all_of(text.begin() + static_cast<ptrdiff_t>(at), text.begin() + static_cast<ptrdiff_t>(at + count),
                     is_digit);
}

// Whether ",ddd" follows, and no fourth digit.
bool thousands_at(std::string_view text, size_t at) {
  return at < text.size() && text[at] == ',' && digits_at(text, at + 1, 3) && !digits_at(text, at + 4, 1);
}
}  // namespace

std::optional<NumberLiteral> number_literal(std::string_view text, size_t at, bool strict, Arithmetic& arithmetic) {
  std::string digits;
  const auto take = [&] {
    while (at < text.size() && is_digit(text[at])) digits += text[at++];
  };
  take();
  if (!digits.empty() && digits.size() <= 3) {
    while (thousands_at(text, at)) {
      digits.append(text, at + 1, 3);
      at += 4;
    }
  }
  NumberLiteral number;
  if (digits_at(text, at + 1, 1) && text[at] == '.') {
    const size_t whole = digits.size();
    ++at;
    take();
    number.decimals = static_cast<int>(digits.size() - whole);
  }
  if (digits.empty()) return {};
  int64_t exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    size_t power = at + 1;
    const bool is_negative = power < text.size() && text[power] == '-';
    if (power < text.size() && (text[power] == '-' || text[power] == '+')) ++power;
    if (digits_at(text, power, 1)) {
      for (; digits_at(text, power, 1); ++power)
        exponent = std::min(exponent * 10 + (text[power] - '0'), kCalculatorMaxExponent + 1);
      if (is_negative) exponent = -exponent;
      if (exponent > kCalculatorMaxExponent || exponent < -kCalculatorMaxExponent)
        arithmetic.decimal("1", exponent);  // Its error.
      at = power;
    }
  }
  if (strict && at < text.size() && std::string_view("0123456789.,eE").find(text[at]) != std::string_view::npos)
    return {};
  number.end = at;
  number.value = arithmetic.decimal(digits, exponent - number.decimals);
  return number;
}

}  // namespace tinyllm
