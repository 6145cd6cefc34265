#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/runtime/reason/quantity.h>
#include <tinyllm/runtime/reason/several_values.h>
#include <tinyllm/runtime/reason/units.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {
using Text = std::u32string_view;

constexpr size_t kMostValues = 64;

Text without_blanks(Text text) {
  while (text.starts_with(U' ')) text.remove_prefix(1);
  while (text.ends_with(U' ')) text.remove_suffix(1);
  return text;
}

// A number that all of the text is, with what is counted but without other words.
std::optional<Quantity> whole_quantity(Text text) {
  text = without_blanks(text);
  std::optional<Quantity> quantity = quantity_at(text, 0);
  if (!quantity || !quantity->value) return {};
  const Text behind = text.substr(quantity->end);
  const bool is_counted = behind.size() <= 2 && std::all_of(behind.begin(), behind.end(), is_hanzi) &&
                          behind.find_first_of(U"多余几左右上下以") == Text::npos;
  if (!behind.empty() && !is_counted) return {};
  return quantity;
}

std::vector<Text> split(Text text, std::initializer_list<Text> separators) {
  std::vector<Text> parts;
  size_t begin = 0;
  for (size_t at = 0; at < text.size() && parts.size() < kMostValues;) {
    const auto* found = std::find_if(separators.begin(), separators.end(),
                                     [&](Text separator) { return text.substr(at).starts_with(separator); });
    if (found == separators.end()) {
      ++at;
      continue;
    }
    parts.push_back(text.substr(begin, at - begin));
    at += found->size();
    begin = at;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// All parts as numbers, in the unit of the first one.
std::optional<NormalAnswer> all_of(AnswerKind kind, const std::vector<Text>& parts) {
  NormalAnswer answer;
  answer.kind = kind;
  for (const Text part : parts) {
    const std::optional<Quantity> quantity = whole_quantity(part);
    if (!quantity) return {};
    Rational value = *quantity->value;
    if (!quantity->unit.meanings.empty()) {
      if (answer.unit.meanings.empty()) answer.unit = quantity->unit;
      const std::optional<Rational> factor = conversion(quantity->unit, answer.unit);
      if (!factor) return {};
      value = Arithmetic().product(value, *factor);
    }
    answer.values.push_back(std::move(value));
  }
  return answer;
}

std::optional<NormalAnswer> ratio(Text text) {
  const std::vector<Text> parts = split(text, {U":", U"比"});
  if (parts.size() < 2) return {};
  std::optional<NormalAnswer> answer = all_of(AnswerKind::ratio, parts);
  if (!answer) return {};
  for (const Rational& value : answer->values)
    if (value.sign() <= 0) return {};
  // 2:4:6 is 1:2:3: the first term becomes 1.
  const Rational first = answer->values[0];
  Arithmetic arithmetic;
  for (Rational& value : answer->values) value = arithmetic.quotient(value, first);
  if (arithmetic.error()) return {};
  answer->unit = {};
  return answer;
}

std::optional<NormalAnswer> quotient_remainder(Text text) {
  if (text.starts_with(U"商")) text.remove_prefix(1);
  while (text.starts_with(U"是") || text.starts_with(U"为") || text.starts_with(U":") || text.starts_with(U" "))
    text.remove_prefix(1);
  for (const Text sign :
       {U"余数是", U"余数为", U"余数", U"余", U"……", U"…", U"......", U"...", U"remainder", U"R", U"r"}) {
    const size_t at = text.find(sign);
    if (at == Text::npos || at == 0) continue;
    Text quotient = without_blanks(text.substr(0, at));
    while (quotient.ends_with(U',') || quotient.ends_with(U';') || quotient.ends_with(U' ')) quotient.remove_suffix(1);
    Text remainder = text.substr(at + sign.size());
    while (remainder.starts_with(U":") || remainder.starts_with(U" ")) remainder.remove_prefix(1);
    return all_of(AnswerKind::quotient_remainder, {quotient, remainder});
  }
  return {};
}

std::optional<NormalAnswer> tuple(Text text) {
  const bool is_round = text.front() == '(' && text.back() == ')';
  const bool is_square = text.front() == '[' && text.back() == ']';
  if (!is_round && !is_square) return {};
  const std::vector<Text> parts = split(text.substr(1, text.size() - 2), {U","});
  if (parts.size() < 2) return {};
  std::optional<NormalAnswer> answer = all_of(AnswerKind::tuple, parts);
  if (answer) answer->text.assign(1, is_round ? '(' : '[');
  return answer;
}

// The variable of x=3 or x1 = 3; takes it from the front.
std::u32string take_variable(Text& part) {
  part = without_blanks(part);
  size_t at = 0;
  while (at < part.size() && (is_letter(part[at]) || (at > 0 && (is_digit(part[at]) || part[at] == '_')))) ++at;
  size_t end = at;
  while (end < part.size() && part[end] == ' ') ++end;
  if (at == 0 || at > 4 || end >= part.size() || part[end] != '=') return {};
  std::u32string name(part.substr(0, at));
  // x1 and x2 are two values of x.
  while (name.size() > 1 && (is_digit(name.back()) || name.back() == '_')) name.pop_back();
  part = part.substr(end + 1);
  return name;
}

std::optional<NormalAnswer> set(Text text) {
  if (text.front() == '{' && text.back() == '}') text = without_blanks(text.substr(1, text.size() - 2));
  if (text.empty()) return {};
  std::vector<Text> parts = split(
      text, {U"或者", U"或", U"以及", U"和", U"与", U"及", U"、", U", and ", U", or ", U" and ", U" or ", U",", U";"});
  std::vector<std::u32string> names;
  for (Text& part : parts) names.push_back(take_variable(part));
  // x=±3
  std::u32string opposite;
  if (parts.size() == 1 && without_blanks(parts[0]).starts_with(U'±')) {
    parts[0] = without_blanks(parts[0]).substr(1);
    opposite = U'-' + std::u32string(without_blanks(parts[0]));
    parts.push_back(opposite);
    names.push_back(names[0]);
  }
  std::optional<NormalAnswer> answer = all_of(AnswerKind::set, parts);
  if (!answer) return {};
  const bool has_variables =
      std::any_of(names.begin(), names.end(), [&](const auto& name) { return !name.empty() && name != names[0]; });
  if (has_variables) {
    std::vector<std::string> equations;
    for (size_t i = 0; i < parts.size(); ++i) equations.push_back(utf8(names[i]) + '=' + answer->values[i].str());
    std::sort(equations.begin(), equations.end());
    answer->kind = AnswerKind::symbol;
    answer->values.clear();
    for (const std::string& equation : equations) answer->text += equation + ';';
    return answer;
  }
  std::sort(answer->values.begin(), answer->values.end());
  answer->values.erase(std::unique(answer->values.begin(), answer->values.end()), answer->values.end());
  if (answer->values.size() == 1) answer->kind = AnswerKind::number;
  return answer;
}
}  // namespace

std::optional<NormalAnswer> several_values(Text text) {
  if (text.size() < 2) return {};
  for (const auto& read : {ratio, quotient_remainder, tuple, set})
    if (std::optional<NormalAnswer> answer = read(text)) return answer;
  return {};
}

}  // namespace tinyllm
