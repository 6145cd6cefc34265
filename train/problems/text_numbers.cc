#include <tinyllm/train/problems/text_numbers.h>

#include <tinyllm/train/problems/scene.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace tinyllm::problems {
namespace {

constexpr size_t kMostDigits = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char at(std::string_view text, size_t i) { return i < text.size() ? text[i] : ' '; }

int64_t power_of_ten(int exponent) {
  int64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

// The end of digits, also of digits in threes behind commas.
size_t end_of_digits(std::string_view text, size_t begin, bool& has_commas) {
  size_t end = begin;
  while (is_digit(at(text, end))) ++end;
  const auto three = [&](size_t from) {
    return at(text, from) == ',' && is_digit(at(text, from + 1)) && is_digit(at(text, from + 2)) &&
           is_digit(at(text, from + 3)) && !is_digit(at(text, from + 4));
  };
  while (end - begin <= 3 + (has_commas ? 8 : 0) && three(end)) {
    has_commas = true;
    end += 4;
  }
  return end;
}

// Commas between the thousands of the first `size` characters.
void add_commas(std::string& text, size_t size) {
  for (size_t i = size; i > 3; i -= 3) text.insert(i - 3, 1, ',');
}

int64_t whole_of(std::string_view text) {
  int64_t value = 0;
  for (const char c : text) {
    if (is_digit(c)) value = value * 10 + (c - '0');
  }
  return value;
}

bool names_something(std::string_view text, const TextNumber& number) {
  const std::string_view before = text.substr(0, number.begin), behind = text.substr(number.end);
  if (!before.empty() && (is_letter(before.back()) || before.back() == ':' || before.back() == '#')) return true;
  if (!behind.empty() && (is_letter(behind[0]) || behind[0] == ':')) return true;
  const auto ends = [&](std::string_view word) { return before.ends_with(word); };
  if (ends("第") || ends("：") || ends("No. ")) return true;
  for (const std::string_view word : {"月",   "日",   "号",  "点",  "时",  "班",  "年级", "路",   "：", "°", " o'clock",
                                      " a.m", " p.m", " am", " pm", " AM", " PM", "又",   "次方", "²",  "³"}) {
    if (behind.starts_with(word)) return true;
  }
  const bool is_year = number.places == 0 && number.below == 1 && number.digits >= 1900 && number.digits <= 2100;
  return is_year && (behind.starts_with("年") || !number.has_commas);
}

// The number that begins at a digit.
TextNumber number_at(std::string_view text, size_t begin, bool has_fractions) {
  TextNumber number{.begin = begin};
  size_t end = end_of_digits(text, begin, number.has_commas);
  number.digits = whole_of(text.substr(begin, std::min(end - begin, kMostDigits + 3)));
  number.is_odd = end - begin > kMostDigits + (number.has_commas ? 2 : 0);
  if (at(text, end) == '.' && is_digit(at(text, end + 1))) {
    const size_t point = end++;
    while (is_digit(at(text, end))) ++end;
    number.places = static_cast<int>(std::min<size_t>(end - point - 1, kMostDigits));
    number.is_odd = end - begin > kMostDigits + 1 || (at(text, end) == '.' && is_digit(at(text, end + 1)));
    if (!number.is_odd) number.digits = whole_of(text.substr(begin, end - begin));
  } else if (has_fractions && at(text, end) == '/' && is_digit(at(text, end + 1)) && !number.has_commas) {
    const size_t below = ++end;
    while (is_digit(at(text, end))) ++end;
    number.is_odd = number.is_odd || end - below > kMostDigits || at(text, end) == '/';
    if (!number.is_odd) number.below = whole_of(text.substr(below, end - below));
    number.is_odd = number.is_odd || number.below < 2;
  }
  if (at(text, end) == '%') {
    number.is_percent = true;
    number.is_odd = number.is_odd || number.below > 1;
    ++end;
  }
  number.end = end;
  if (number.below > 1 && begin > 0 && text[begin - 1] == '(' && at(text, end) == ')') {
    // A mixed number, 3(1/2), is not read.
    number.is_odd = number.is_odd || (begin > 1 && is_digit(text[begin - 2]));
    --number.begin;
    ++number.end;
  }
  if (!number.is_odd) {
    number.value = value_of(fmt::format("{}/{}/{}", number.digits, number.below, power_of_ten(number.places)));
    if (number.is_percent) number.value = value_of(fmt::format("({})/100", number.value.str()));
  }
  number.is_name = names_something(text, number);
  return number;
}

}  // namespace

std::string TextNumber::text() const {
  if (below > 1) return fmt::format("{}/{}", digits, below);
  const int64_t power = power_of_ten(places);
  std::string whole = std::to_string(digits / power);
  if (has_commas) add_commas(whole, whole.size());
  if (places > 0) whole += fmt::format(".{:0{}}", digits % power, places);
  return is_percent ? whole + "%" : whole;
}

std::vector<TextNumber> numbers_in(std::string_view text, bool has_fractions) {
  std::vector<TextNumber> found;
  for (size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    TextNumber number = number_at(text, i, has_fractions);
    // .5, and in a question -5 and the 7 of 5-7.
    if (i > 0 && (text[i - 1] == '.' || (has_fractions && text[i - 1] == '-'))) number.is_odd = true;
    i = std::max(i + 1, number.end);
    found.push_back(number);
  }
  return found;
}

bool has_in_words(std::string_view text, int64_t number) {
  static const std::array<std::vector<std::string_view>, 13> kWords = {
      {{},
       {},
       {"二", "两", "双", "two", "twice", "double", "pair"},
       {"三", "three", "thrice", "triple"},
       {"四", "four"},
       {"五", "five"},
       {"六", "six"},
       {"七", "seven"},
       {"八", "eight"},
       {"九", "nine"},
       {"十", "ten "},
       {"eleven"},
       {"twelve", "dozen"}}};
  if (number < 2 || number > 12) return false;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto& words = kWords[static_cast<size_t>(number)];
  return std::any_of(words.begin(), words.end(), [&](auto word) { return lower.find(word) != std::string::npos; });
}

TextNumber similar(const TextNumber& number, Random& random) {
  const auto draw = [&](int64_t low, int64_t high) { return low + random.below(high - low + 1); };
  TextNumber other = number;
  if (number.below > 1) {
    other.below = draw(2, std::max<int64_t>(number.below + 4, 9));
    other.digits = draw(1, other.below - 1);
    while (std::gcd(other.digits, other.below) > 1) other.digits = draw(1, other.below - 1);
  } else if (number.digits > 1) {
    const int width = static_cast<int>(std::to_string(number.digits).size());
    int64_t unit = 1;
    while (number.digits % (unit * 10) == 0 && number.digits > unit * 10) unit *= 10;
    if (number.is_percent && number.places == 0 && number.digits % 5 == 0) unit = 5;
    const int64_t low = std::max<int64_t>({power_of_ten(width - 1), number.digits / 3, 2});
    int64_t high = std::min(power_of_ten(width) - 1, number.digits * 3);
    if (number.is_percent && number.digits < 100 * power_of_ten(number.places)) {
      high = std::min(high, 100 * power_of_ten(number.places) - 1);
    }
    const int64_t first = (low + unit - 1) / unit, last = std::max(high / unit, first);
    do {
      other.digits = unit * draw(first, last);
    } while (unit == 1 && number.digits >= 10 && other.digits % 10 == 0);
  }
  const std::string text = other.text();
  other.value = numbers_in(text).front().value;
  return other;
}

std::optional<std::string> written_like(const TextNumber& number, const Rational& value) {
  constexpr int kPlaces = 4;
  const Rational shown = number.is_percent ? value_of(fmt::format("({})*100", value.str())) : value;
  std::optional<std::string> text = shown.decimal(kPlaces);
  if (!text) return {};
  const size_t point = std::min(text->find('.'), text->size());
  if (number.places > 0 && number.digits % 10 == 0) {
    if (point == text->size()) *text += '.';
    const auto size = point + 1 + static_cast<size_t>(number.places);
    if (text->size() < size) text->resize(size, '0');
  }
  if (number.has_commas) add_commas(*text, point);
  return number.is_percent ? *text + "%" : *text;
}

std::string replaced(std::string_view text, const std::vector<TextNumber>& numbers,
                     const std::vector<std::string>& by) {
  std::string result;
  size_t at = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    result += text.substr(at, numbers[i].begin - at);
    result += by[i];
    at = numbers[i].end;
  }
  return result + std::string(text.substr(at));
}

}  // namespace tinyllm::problems
