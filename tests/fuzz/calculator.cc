// Any bytes as an expression: a number, a truth or an error. A number that is written out again is the same one.
#include <tinyllm/runtime/reason/calculator.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const Calculated result = calculate(bytes);
  const auto* value = std::get_if<Rational>(&result);
  if (value == nullptr) return;
  const std::string text = value->str();
  if (text.size() > 4096) return;  // Beyond the length of an expression.
  const Calculated again = calculate(text);
  require(std::holds_alternative<Rational>(again) && std::get<Rational>(again) == *value);
  require(value->is_integer() == (text.find('/') == std::string::npos));
  require((value->sign() < 0) == text.starts_with('-'));
  if (const auto decimal = value->decimal(6)) require(std::get<Rational>(calculate(*decimal)) == *value);
}
