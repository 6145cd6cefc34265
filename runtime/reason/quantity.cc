#include <tinyllm/runtime/reason/number_words.h>
#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/runtime/reason/quantity.h>
#include <tinyllm/runtime/reason/units.h>
#include <tinyllm/runtime/reason/written_number.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {
bool take(std::u32string_view text, size_t& at, std::u32string_view part) {
  if (!text.substr(std::min(at, text.size())).starts_with(part)) return false;
  at += part.size();
  return true;
}

void blanks(std::u32string_view text, size_t& at) {
  while (at < text.size() && text[at] == ' ') ++at;
}

// 35块5, 1米75, 三块五: digits behind a unit are decimals of it.
void spoken_decimals(std::u32string_view text, Quantity& quantity, Arithmetic& arithmetic) {
  constexpr std::u32string_view kUnits = U"块元毛角米斤";
  if (kUnits.find(text[quantity.end - 1]) == std::u32string_view::npos) return;
  std::string digits;
  size_t at = quantity.end;
  while (at < text.size() && is_digit(text[at]) && digits.size() < 3) digits += static_cast<char>(text[at++]);
  if (digits.empty() && at < text.size() && digit_word(text[at]))
    digits += static_cast<char>('0' + *digit_word(text[at++]));
  const bool goes_on = at < text.size() && (is_digit(text[at]) || text[at] == '.' || digit_word(text[at]) ||
                                            scale_word(text[at]) != 0 || is_letter(text[at]));
  if (digits.empty() || digits.size() > 2 || goes_on || unit_at(text, at)) return;
  quantity.value = arithmetic.sum(*quantity.value, arithmetic.decimal(digits, -static_cast<int64_t>(digits.size())));
  quantity.end = at;
}

// 3元5角, 2小时30分钟: each unit is smaller than the one before.
void smaller_units(std::u32string_view text, Quantity& quantity, Arithmetic& arithmetic) {
  AnswerUnit last = quantity.unit;
  for (;;) {
    size_t at = quantity.end;
    blanks(text, at);
    if (take(text, at, U"又") || take(text, at, U"and ") || take(text, at, U"零")) blanks(text, at);
    const std::optional<WrittenNumber> number = written_number(text, at);
    if (!number || !number->value) return;
    at = number->end;
    blanks(text, at);
    const std::optional<FoundUnit> found = unit_at(text, at);
    if (!found) return;
    const std::optional<Rational> ratio = conversion(found->unit, last);
    const std::optional<Rational> in_first = conversion(found->unit, quantity.unit);
    if (!ratio || !in_first || *ratio >= Rational(1)) return;
    quantity.value = arithmetic.sum(*quantity.value, arithmetic.product(*number->value, *in_first));
    quantity.end = found->end;
    last = found->unit;
  }
}
}  // namespace

std::optional<Quantity> quantity_at(std::u32string_view text, size_t at) {
  Quantity quantity;
  quantity.begin = at;
  Arithmetic arithmetic;
  const auto sign = [&] {
    const bool is_negative = take(text, at, U"-") || take(text, at, U"负") || take(text, at, U"零下");
    if (!is_negative) take(text, at, U"+");
    blanks(text, at);
    return is_negative;
  };
  bool is_negative = sign();
  const std::optional<FoundUnit> currency = currency_at(text, at);
  if (currency) {
    at = currency->end;
    blanks(text, at);
    is_negative ^= sign();
  }
  const std::optional<WrittenNumber> number = written_number(text, at);
  if (!number) return {};
  quantity.end = number->end;
  quantity.value = number->value;
  if (!quantity.value) return quantity;
  at = quantity.end;
  const auto half = [&] { quantity.value = arithmetic.sum(*quantity.value, arithmetic.quotient(1, 2)); };
  // 两倍半, 两个半小时
  if (take(text, at, U"倍半") || take(text, at, U"个半")) {
    half();
    quantity.end = at;
  }
  blanks(text, at);
  if (currency) {
    quantity.unit = currency->unit;
  } else if (std::optional<FoundUnit> found = unit_at(text, at)) {
    quantity.unit = std::move(found->unit);
    quantity.end = found->end;
    at = found->end;
    if (take(text, at, U"半")) {
      half();
      quantity.end = at;
    } else {
      spoken_decimals(text, quantity, arithmetic);
      smaller_units(text, quantity, arithmetic);
    }
  }
  if (is_negative) quantity.value = -*quantity.value;
  if (arithmetic.error()) quantity.value.reset();
  return quantity;
}

}  // namespace tinyllm
