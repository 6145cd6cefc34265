#include <tinyllm/runtime/reason/number_literal.h>
#include <tinyllm/runtime/reason/number_words.h>
#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/runtime/reason/written_number.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {

/// Reads one number from left to right; `at_` is behind what was read.
class Reader {
 public:
  Reader(std::u32string_view text, size_t at) : text_(text), at_(at) {}

  std::optional<WrittenNumber> run() {
    std::optional<Rational> value = repeating();
    if (value) return ended(*value);
    if (take(U"一半") || take(U"对折") || take(U"半")) return ended(Rational(1), 2);
    value = simple();
    if (!value) return {};
    Rational number = parts(*value);
    return ended(std::move(number));
  }

 private:
  char32_t peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0; }
  bool take(std::u32string_view part) {
    if (!text_.substr(std::min(at_, text_.size())).starts_with(part)) return false;
    at_ += part.size();
    return true;
  }
  void blanks() {
    while (peek() == ' ') ++at_;
  }

  // Digits and a percent sign behind a number; then it ends.
  WrittenNumber ended(Rational value, int64_t divisor = 1) {
    value = arithmetic_.quotient(value, divisor);
    const size_t before = at_;
    blanks();
    if (take(U"%") || take(U"percent") || take(U"per cent") || take(U"个百分点")) {
      value = arithmetic_.quotient(value, 100);
    } else if (take(U"‰")) {
      value = arithmetic_.quotient(value, 1000);
    } else {
      at_ = before;
    }
    const bool is_number = !is_refused_ && !arithmetic_.error() && !goes_on();
    return {at_, is_number ? std::optional(value) : std::nullopt};
  }

  // Whether what follows makes the number a part of an expression, or of no number at all.
  bool goes_on() const {
    size_t at = at_;
    if (peek() == '.' && (is_digit(peek(1)) || peek(1) == '.') && !is_ellipsis(at_)) return true;
    if (peek() == '(' && (is_digit(peek(1)) || peek(1) == '-')) return true;
    while (at < text_.size() && text_[at] == ' ') ++at;
    if (at >= text_.size()) return false;
    constexpr std::u32string_view kOperators = U"+-*/×÷^";
    if (kOperators.find(text_[at]) == std::u32string_view::npos) return false;
    do {
      ++at;
    } while (at < text_.size() && (text_[at] == ' ' || text_[at] == '*' || text_[at] == '-'));
    return at < text_.size() && (is_digit(text_[at]) || text_[at] == '(' || text_[at] == '.');
  }
  bool is_ellipsis(size_t at) const { return text_.substr(at).starts_with(U"..."); }

  // 0.(3), 0.1(6), 0.3循环, and with dots above the first and the last digit that are repeated.
  std::optional<Rational> repeating() {
    constexpr char32_t kDot = 0x307;
    size_t at = at_;
    std::string digits;
    while (at < text_.size() && is_digit(text_[at]) && digits.size() < 64) digits += static_cast<char>(text_[at++]);
    if (digits.empty() || at >= text_.size() || text_[at] != '.') return {};
    ++at;
    const size_t whole = digits.size();
    std::optional<size_t> first;
    size_t last = 0;
    for (; at < text_.size() && (is_digit(text_[at]) || text_[at] == kDot) && digits.size() < 256; ++at) {
      if (text_[at] != kDot) {
        digits += static_cast<char>(text_[at]);
      } else if (digits.size() > whole) {
        last = digits.size();
        if (!first) first = last - 1;
      }
    }
    if (!first && at < text_.size() && text_[at] == '(') {
      size_t close = at + 1;
      while (close < text_.size() && is_digit(text_[close]) && close - at < 64) ++close;
      if (close == at + 1 || close >= text_.size() || text_[close] != ')') return {};
      first = digits.size();
      for (++at; at < close; ++at) digits += static_cast<char>(text_[at]);
      last = digits.size();
      ++at;
    } else if (!first && digits.size() > whole && text_.substr(std::min(at, text_.size())).starts_with(U"循环")) {
      first = whole;
      last = digits.size();
      at += 2;
    }
    if (!first || last != digits.size()) return {};
    at_ = at;
    // 0.1(6) is (16 - 1) / 90.
    const auto places = static_cast<int64_t>(last - *first);
    const auto before = static_cast<int64_t>(*first - whole);
    const Rational difference = arithmetic_.difference(
        arithmetic_.decimal(digits, 0), arithmetic_.decimal(std::string_view(digits).substr(0, *first), 0));
    const Rational nines = arithmetic_.difference(arithmetic_.decimal("1", places), 1);
    return arithmetic_.quotient(difference, arithmetic_.product(nines, arithmetic_.decimal("1", before)));
  }

  // Digits in one script, and whether they are a whole number.
  std::optional<Rational> simple() {
    is_words_ = digit_word(peek()) || scale_word(peek()) != 0;
    if (is_words_) {
      const std::optional<NumberWords> words = number_words(text_, at_);
      if (!words) return {};
      at_ = words->end;
      is_whole_ = true;
      Rational value = words->value;
      if (peek() == U'点' && digit_word(peek(1))) {
        is_whole_ = false;
        std::string decimals;
        for (++at_; decimals.size() < 64 && digit_word(peek()); ++at_)
          decimals += static_cast<char>('0' + *digit_word(text_[at_]));
        value = arithmetic_.sum(value, arithmetic_.decimal(decimals, -static_cast<int64_t>(decimals.size())));
      }
      return value;
    }
    std::string digits;
    constexpr std::u32string_view kParts = U"0123456789.,eE+-";
    for (size_t at = at_; at < text_.size() && kParts.find(text_[at]) != std::u32string_view::npos; ++at)
      digits += static_cast<char>(text_[at]);
    std::optional<NumberLiteral> literal = number_literal(digits, 0, false, arithmetic_);
    if (!literal) return {};
    at_ += literal->end;
    digits.resize(literal->end);
    is_whole_ = digits.find_first_of(".eE") == std::string::npos;
    return literal->value;
  }

  // A whole number's fraction, scale or power.
  Rational parts(const Rational& value) {
    if (take(U"分之")) return share(value);
    if (const std::optional<Rational> fraction = mixed_fraction()) return arithmetic_.sum(value, *fraction);
    if (is_whole_ && (peek() == '/' || (peek() == ' ' && peek(1) == '/'))) {
      if (const std::optional<Rational> below = denominator()) return arithmetic_.quotient(value, *below);
    }
    if (take(U"折")) {
      const bool has_two = value >= Rational(10);
      return arithmetic_.quotient(value, has_two ? 100 : 10);
    }
    if (take(U"成")) return tenths(value);
    if (is_whole_ && value == Rational(10) && take(U"^")) {
      const std::optional<Rational> exponent = signed_whole();
      if (!exponent) return refuse();
      return arithmetic_.power(value, *exponent);
    }
    for (const std::u32string_view times : {U"×10^", U"*10^", U"x10^", U"·10^", U" × 10^", U" * 10^", U" x 10^"}) {
      if (!take(times)) continue;
      const std::optional<Rational> exponent = signed_whole();
      if (!exponent) return refuse();
      return arithmetic_.product(value, arithmetic_.power(10, *exponent));
    }
    return scaled(value);
  }

  Rational refuse() {
    is_refused_ = true;
    return 0;
  }

  // What follows 分之: 百分之十二点五.
  Rational share(const Rational& below) {
    std::optional<Rational> above = simple();
    if (!above && scale_word(peek()) != 0) above = scale_word(text_[at_++]);  // 百分之百
    if (!above || below.sign() == 0) return refuse();
    return arithmetic_.quotient(*above, below);
  }

  // 13又5/6, 2 1/3, 二又三分之一
  std::optional<Rational> mixed_fraction() {
    const size_t before = at_;
    const bool is_said = take(U"又") || take(U" and ");
    if (is_whole_ && (is_said || peek() == ' ')) {
      blanks();
      const std::optional<Rational> above = simple();
      if (above && is_whole_) {
        if (is_said && take(U"分之")) return share(*above);
        if (!is_words_ && peek() == '/' && is_digit(peek(1))) {
          ++at_;
          const std::optional<Rational> below = simple();
          if (below && is_whole_ && (is_said || *above < *below) && peek() != '/')
            return arithmetic_.quotient(*above, *below);
        }
      }
    }
    at_ = before;
    is_whole_ = true;
    return {};
  }

  // What follows the slash of a fraction; the slash stays if no digits do, as in 5/个.
  std::optional<Rational> denominator() {
    const size_t before = at_;
    blanks();
    ++at_;
    blanks();
    std::optional<Rational> below = signed_whole();
    if (!below) {
      at_ = before;
      return {};
    }
    if (!is_whole_ || peek() == '/') is_refused_ = true;
    return below;
  }

  std::optional<Rational> signed_whole() {
    const bool is_negative = peek() == '-' && (is_digit(peek(1)) || peek(1) == '{');
    if (is_negative || (peek() == '+' && is_digit(peek(1)))) ++at_;
    if (!is_digit(peek()) && peek() != '.') return {};
    const std::optional<Rational> value = simple();
    if (!value) return {};
    return is_negative ? -*value : *value;
  }

  // 三成五
  Rational tenths(const Rational& value) {
    Rational result = arithmetic_.quotient(value, 10);
    if (const std::optional<int> digit = digit_word(peek())) {
      ++at_;
      result = arithmetic_.sum(result, arithmetic_.quotient(*digit, 100));
    }
    return result;
  }

  // 1.2万, 3亿, 3万5千
  Rational scaled(Rational value) {
    if (is_words_) return value;
    Rational total = 0;
    Rational section = 0;  // What the next 万 or 亿 multiplies.
    int64_t last = 0;      // The last scale of the section.
    bool has_scale = false;
    for (;;) {
      const int64_t scale = scale_word(peek());
      constexpr std::u32string_view kUnits = U"米克瓦卡焦帕赫伏字";
      if (scale < 100 || (peek() == U'千' && peek(1) != 0 && kUnits.find(peek(1)) != std::u32string_view::npos)) break;
      if (scale < 10000 && last != 0 && scale >= last) break;
      ++at_;
      has_scale = true;
      section = arithmetic_.sum(section, arithmetic_.product(value, scale < 10000 ? scale : 1));
      value = 0;
      last = scale;
      if (scale >= 10000) {
        // 3万亿: 亿 multiplies what 万 has made.
        total = section.sign() == 0 ? arithmetic_.product(total, scale)
                                    : arithmetic_.sum(total, arithmetic_.product(section, scale));
        section = 0;
        last = 0;
      }
      if (!is_digit(peek())) continue;
      const size_t before = at_;
      const std::optional<Rational> next = simple();
      if (!next || scale_word(peek()) == 0) {
        at_ = before;
        is_refused_ = true;  // 3万5 may be 30005 or 35000.
        break;
      }
      value = *next;
    }
    return has_scale ? arithmetic_.sum(total, section) : value;
  }

  std::u32string_view text_;
  size_t at_;
  bool is_whole_ = false;
  bool is_words_ = false;
  bool is_refused_ = false;
  Arithmetic arithmetic_;
};
}  // namespace

std::optional<WrittenNumber> written_number(std::u32string_view text, size_t at) { return Reader(text, at).run(); }

}  // namespace tinyllm
