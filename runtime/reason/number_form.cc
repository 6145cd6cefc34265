#include <tinyllm/runtime/reason/number_form.h>
#include <tinyllm/runtime/reason/number_literal.h>

#include <algorithm>
#include <string>

namespace tinyllm {

bool NumberForm::rounds(const Rational& exact, const Rational& written) const {
  constexpr int kMostZeros = 18;
  const int places = decimals + (is_percent ? 2 : 0);
  for (int i = 0; i <= std::min(zeros, kMostZeros); ++i)
    if (exact.rounded(places - i) == written) return true;
  return false;
}

NumberForm number_form(std::string_view signs) {
  std::string text(signs);
  std::erase(text, ' ');
  std::erase(text, ',');
  if (text.starts_with('-') || text.starts_with('+')) text.erase(0, 1);
  NumberForm form;
  if (text.ends_with('%')) {
    form.is_percent = true;
    text.pop_back();
  }
  size_t at = 0;
  const auto digits = [&] {
    const size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - first;
  };
  const size_t whole = digits();
  for (size_t i = at; i > 1 && text[i - 1] == '0'; --i) ++form.zeros;
  if (at < text.size() && text[at] == '.') {
    ++at;
    form.decimals = static_cast<int>(digits());
    form.zeros = 0;
  }
  form.is_literal = at == text.size() && at > 0;
  form.is_number = form.is_literal;
  if (at == whole && whole > 0 && at < text.size() && text[at] == '/' && !form.is_percent) {
    ++at;
    form.is_number = digits() > 0 && at == text.size();
  }
  return form;
}

}  // namespace tinyllm
