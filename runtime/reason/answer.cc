#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/answer_words.h>
#include <tinyllm/runtime/reason/calendar.h>
#include <tinyllm/runtime/reason/choice.h>
#include <tinyllm/runtime/reason/number_words.h>
#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/runtime/reason/quantity.h>
#include <tinyllm/runtime/reason/several_values.h>
#include <tinyllm/runtime/reason/units.h>

#include <algorithm>

namespace tinyllm {
namespace {
using Text = std::u32string_view;

constexpr size_t kMaxBytes = 1024;

NormalAnswer word(Text text) {
  NormalAnswer answer;
  answer.kind = text.empty() ? AnswerKind::none : AnswerKind::word;
  answer.text = utf8(text);
  std::erase(answer.text, ' ');
  return answer;
}

NormalAnswer number(const Quantity& quantity) {
  NormalAnswer answer;
  answer.kind = AnswerKind::number;
  answer.values = {*quantity.value};
  answer.unit = quantity.unit;
  return answer;
}

bool has_digits(Text text) {
  return std::any_of(text.begin(), text.end(), [](char32_t c) { return is_digit(c); });
}

// A number that all of the text is, but for what is counted: 7 apples, 24个.
std::optional<NormalAnswer> only_number(Text text) {
  if (uncounted_word(text, 0) > 0) return {};
  std::optional<Quantity> quantity = quantity_at(text, 0);
  if (!quantity || !quantity->value) return {};
  const Text behind = text.substr(quantity->end);
  if (behind.empty()) return number(*quantity);
  // 12(cm)
  const Text inside = trimmed(behind);
  if (quantity->unit.meanings.empty() && inside.starts_with(U'(') && inside.ends_with(U')')) {
    if (std::optional<FoundUnit> found = unit_at(inside, 1); found && found->end + 1 == inside.size())
      quantity->unit = std::move(found->unit);
  }
  const bool has_words = std::any_of(behind.begin(), behind.end(),
                                     [](char32_t c) { return digit_word(c).has_value() || scale_word(c) != 0; });
  if (hedges_behind(behind) || has_digits(behind) || has_words) return {};
  // Behind a number, 8x and 8 x are symbols, 7 apples and 7apples are not.
  size_t letters = 0;
  while (letters < inside.size() && is_letter(inside[letters])) ++letters;
  const bool is_apart = behind[0] == ' ';
  if (letters > 0 && (is_apart ? inside.size() == 1 : letters <= 2)) return {};
  constexpr Text kNotBehind = U"+-*/×÷⋅·^=<>≤≥≠≈√π_%";
  if (kNotBehind.find(inside.empty() ? behind[0] : inside[0]) != Text::npos) return {};
  if (behind.find_first_of(U"=≈") != Text::npos) return {};
  return number(*quantity);
}

// 8x, 2√3, x>5
std::optional<NormalAnswer> symbol(Text text) {
  while (!text.empty() && (is_hanzi(text.back()) || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return {};
  constexpr Text kSigns = U"0123456789.+-*/×⋅·^()[]{}=<>≤≥≠√π∞ ,|:";
  constexpr size_t kLongest = 2;  // Letters in a row; more are a word.
  std::u32string form;
  size_t letters = 0;
  bool has_symbol = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    letters = is_letter(c) ? letters + 1 : 0;
    if (letters > kLongest || (!is_letter(c) && kSigns.find(c) == Text::npos)) return {};
    has_symbol |= is_letter(c) || c == U'√' || c == U'π' || c == U'∞';
    if (c == ' ') continue;
    const char32_t next = i + 1 < text.size() ? text[i + 1] : 0;
    const bool is_product =
        (c == '*' && next != '*' && (i == 0 || text[i - 1] != '*')) || c == U'×' || c == U'⋅' || c == U'·';
    if (is_product && (is_letter(next) || next == U'√' || next == U'π' || next == ' ' || next == '(')) continue;
    form += c;
  }
  if (!has_symbol) return {};
  NormalAnswer answer;
  answer.kind = AnswerKind::symbol;
  answer.text = utf8(form);
  return answer;
}

// Where the right side of the last equation, exact or not, begins; npos if there is none.
size_t right_side(Text text) {
  for (size_t i = text.size(); i-- > 0;) {
    if (text[i] == U'≈') return i + 1;
    if (text[i] != '=') continue;
    const char32_t before = i > 0 ? text[i - 1] : 0;
    if (before == '<' || before == '>' || before == '!' || before == '=') return Text::npos;
    return i + 1;
  }
  return Text::npos;
}

// The numbers within words. Nothing if one of them is none, as 3.5.1, or a bound or guess.
std::optional<std::vector<Quantity>> numbers_in(Text text) {
  const bool in_digits = has_digits(text);
  std::vector<Quantity> found;
  for (size_t at = 0; at < text.size();) {
    if (const size_t behind = uncounted_word(text, at); !in_digits && behind > at) {
      at = behind;
      continue;
    }
    const bool may_begin = is_digit(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1])) ||
                           (!in_digits && (digit_word(text[at]) || scale_word(text[at]) != 0 || text[at] == U'半'));
    const bool is_inside_name = is_digit(text[at]) && at > 0 && is_letter(text[at - 1]);
    if (!may_begin || is_inside_name) {
      ++at;
      continue;
    }
    // The sign and the currency before it.
    size_t begin = at;
    constexpr Text kSigns = U"-负$¥€£";
    while (begin > 0 && kSigns.find(text[begin - 1]) != Text::npos) --begin;
    if (begin > 1 && text.substr(begin - 2, 2) == U"零下") begin -= 2;
    std::optional<Quantity> quantity = quantity_at(text, begin);
    if (!quantity || quantity->end <= at) quantity = quantity_at(text, at);
    if (!quantity || quantity->end <= at) {
      ++at;
      continue;
    }
    const bool is_hedged = hedges_before(text.substr(0, quantity->begin)) || hedges_behind(text.substr(quantity->end));
    if (!quantity->value || is_hedged) return {};
    at = quantity->end;
    found.push_back(*std::move(quantity));
  }
  return found;
}

NormalAnswer read(Text text, int depth);

// (5), (B), "5" in brackets that say nothing.
std::optional<NormalAnswer> in_brackets(Text text, int depth) {
  if (text.size() < 3 || text.front() != '(' || text.back() != ')' || depth > 4) return {};
  const Text inside = text.substr(1, text.size() - 2);
  if (inside.find_first_of(U"()") != Text::npos) return {};
  NormalAnswer answer = read(trimmed(inside), depth + 1);
  if (answer.kind != AnswerKind::number) return {};
  return answer;
}

NormalAnswer read(Text text, int depth) {
  if (text.empty()) return {};
  if (const std::optional<std::string_view> form = answer_word(text)) {
    NormalAnswer answer = word(text);
    answer.text = *form;
    return answer;
  }
  text = without_lead(text);
  if (const std::optional<std::string_view> form = answer_word(text)) {
    NormalAnswer answer = word(text);
    answer.text = *form;
    return answer;
  }
  if (std::optional<std::string> letters = choice_of(text)) {
    NormalAnswer answer;
    answer.kind = AnswerKind::choice;
    answer.text = *std::move(letters);
    return answer;
  }
  text = without_about(text);
  if (std::optional<NormalAnswer> answer = calendar_answer(text)) return *std::move(answer);
  if (std::optional<NormalAnswer> answer = only_number(text)) return *std::move(answer);
  if (std::optional<NormalAnswer> answer = in_brackets(text, depth)) return *std::move(answer);
  if (std::optional<NormalAnswer> answer = several_values(text)) return *std::move(answer);
  if (const size_t right = right_side(text); right != Text::npos && depth < 4)
    return read(trimmed(text.substr(right)), depth + 1);
  if (std::optional<NormalAnswer> answer = symbol(text)) return *std::move(answer);
  const std::optional<std::vector<Quantity>> numbers = numbers_in(text);
  // A number within words, or said twice, as 3/5 (60%).
  const bool has_words = std::any_of(text.begin(), text.end(), [](char32_t c) { return is_hanzi(c) || is_letter(c); });
  const auto is_first = [&](const Quantity& q) { return *q.value == *numbers->front().value; };
  if (numbers && !numbers->empty() && (has_words || numbers->size() > 1) &&
      std::all_of(numbers->begin(), numbers->end(), is_first)) {
    NormalAnswer answer = number(numbers->front());
    answer.names = names_in(text.substr(0, numbers->front().begin));
    return answer;
  }
  return word(text);
}
}  // namespace

std::optional<Rational> NormalAnswer::value() const {
  if (kind == AnswerKind::number) return values[0];
  if (kind == AnswerKind::ratio && values.size() == 2) return Arithmetic().quotient(values[0], values[1]);
  return {};
}

NormalAnswer normal_answer(std::string_view text) {
  if (text.size() > kMaxBytes) {
    NormalAnswer answer;
    answer.kind = AnswerKind::word;
    answer.text = text;
    answer.said = text;
    return answer;
  }
  const std::u32string plain = plain_text(text);
  NormalAnswer answer = read(trimmed(plain), 0);
  answer.said = utf8(trimmed(plain));
  return answer;
}

NormalAnswer answer_of(std::string_view said) {
  const ExtractedAnswer extracted = extract_answer(said);
  if (extracted.marker == AnswerMarker::none) return {};
  NormalAnswer answer = normal_answer(extracted.text);
  const bool is_marked = extracted.marker != AnswerMarker::whole && extracted.marker != AnswerMarker::fallback;
  if (is_marked || answer.kind != AnswerKind::word) return answer;
  // The last number of a statement in words.
  const std::u32string plain = plain_text(extracted.text.substr(0, kMaxBytes));
  const Text statement = trimmed(plain);
  const bool has_words =
      std::any_of(statement.begin(), statement.end(), [](char32_t c) { return is_hanzi(c) || is_letter(c); });
  const std::optional<std::vector<Quantity>> numbers = numbers_in(statement);
  if (!has_words || !numbers || numbers->size() < 2) return answer;
  std::string all = std::move(answer.said);
  answer = number(numbers->back());
  answer.said = std::move(all);
  return answer;
}

std::string shown(const NormalAnswer& answer) {
  constexpr size_t kMostOfNumber = 24, kMost = 100;  // Characters.
  const std::u32string plain = plain_text(answer.said);
  Text text = trimmed(without_lead(plain));
  if (answer.kind == AnswerKind::number) {
    if (const size_t right = right_side(text); right != Text::npos) text = trimmed(text.substr(right));
    if (text.empty() || text.size() > kMostOfNumber)
      return answer.values[0].decimal(6).value_or(answer.values[0].str());
  }
  return text.size() > kMost ? utf8(text.substr(0, kMost)) + "…" : utf8(text);
}

bool same_answer(const NormalAnswer& answer, const NormalAnswer& gold) {
  if (answer.kind == AnswerKind::none || gold.kind == AnswerKind::none) return false;
  if (answer.said == gold.said) return true;
  const std::optional<Rational> value = answer.value();
  const std::optional<Rational> right = gold.value();
  if (value && right) {
    const bool have_units = !answer.unit.meanings.empty() && !gold.unit.meanings.empty();
    const std::optional<Rational> factor = have_units ? conversion(answer.unit, gold.unit) : std::optional<Rational>(1);
    if (!factor || Arithmetic().product(*value, *factor) != *right) return false;
    for (std::string_view names = gold.names; !names.empty();) {
      const std::string_view name = names.substr(0, names.find(' '));
      if (answer.said.find(name) == std::string::npos) return false;
      names.remove_prefix(std::min(name.size() + 1, names.size()));
    }
    return true;
  }
  // 8时30分 is also as long as 510 minutes.
  const AnswerUnit seconds{{{"time", 1}}};
  const auto is_duration = [&](const NormalAnswer& time, const NormalAnswer& amount) {
    if (time.kind != AnswerKind::time || time.values.empty() || amount.kind != AnswerKind::number) return false;
    const std::optional<Rational> factor = conversion(amount.unit, seconds);
    return factor && Arithmetic().product(amount.values[0], *factor) == time.values[0];
  };
  if (is_duration(answer, gold) || is_duration(gold, answer)) return true;
  if (answer.kind != gold.kind || answer.text != gold.text) return false;
  if (answer.kind == AnswerKind::time) return true;
  if (answer.values != gold.values) return false;
  return answer.unit.meanings.empty() || gold.unit.meanings.empty() ||
         conversion(answer.unit, gold.unit) == Rational(1);
}

}  // namespace tinyllm
