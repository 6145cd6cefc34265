#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/calculator_signs.h>
#include <tinyllm/runtime/reason/number_literal.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <optional>

namespace tinyllm {
namespace {
constexpr size_t kMaxBytes = 4096;
constexpr int kMaxDepth = 64;

std::string in_signs(std::string_view text) {
  const size_t valid = valid_utf8(text);
  std::string signs;
  signs.reserve(text.size());
  for (size_t at = 0; at < valid;) {
    const std::string_view sign = calculator_sign(next_character(text, at));
    if (sign.empty()) {
      signs += kUnknown;
    } else {
      signs += sign;
    }
  }
  if (valid < text.size()) signs += kUnknown;
  return signs;
}

struct Token {
  enum Kind : uint8_t { number, plus, minus, times, divide, power, percent, permille, open, close, compare, end };
  Kind kind = end;
  char sign = 0;  // Which bracket; which comparison: = ! < > and l, g for ≤ and ≥.
  Rational value = {};
};

/// Recursive descent, one function for each line of the grammar. An error of form ends it; Arithmetic keeps one of
/// value.
class Parser {
 public:
  explicit Parser(std::string_view signs) : text_(signs) {}

  Calculated run() {
    advance();
    if (!error_ && token_.kind == Token::end) return CalculatorError::empty;
    Calculated result = comparison();
    if (!error_ && token_.kind != Token::end) unexpected();
    if (error_) return *error_;
    if (arithmetic_.error()) return *arithmetic_.error();
    return result;
  }

 private:
  Rational fail(CalculatorError error) {
    if (!error_) error_ = error;
    token_.kind = Token::end;  // Every loop stops there.
    return {};
  }

  // The token does not fit where it stands.
  Rational unexpected() {
    if (error_) return {};
    if (token_.kind == Token::close && open_ == 0) return fail(CalculatorError::unbalanced);
    if (token_.kind == Token::end && open_ > 0) return fail(CalculatorError::unbalanced);
    return fail(CalculatorError::syntax);
  }

  bool take(char c) {
    const bool found = at_ < text_.size() && text_[at_] == c;
    at_ += found;
    return found;
  }

  void advance() {
    if (error_) return;
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
    if (at_ == text_.size()) {
      token_.kind = Token::end;
      return;
    }
    const char c = text_[at_];
    if (is_digit(c) || c == '.' || c == ',') {
      std::optional<NumberLiteral> literal = number_literal(text_, at_, true, arithmetic_);
      if (!literal) {
        fail(CalculatorError::syntax);
        return;
      }
      token_.kind = Token::number;
      token_.value = std::move(literal->value);
      at_ = literal->end;
      return;
    }
    ++at_;
    token_.sign = c;
    switch (c) {
      case '+':
        token_.kind = Token::plus;
        return;
      case '-':
        token_.kind = Token::minus;
        return;
      case '*':
        token_.kind = take('*') ? Token::power : Token::times;
        return;
      case '/':
        token_.kind = Token::divide;
        return;
      case '^':
        token_.kind = Token::power;
        return;
      case '%':
        token_.kind = Token::percent;
        return;
      case kPermille:
        token_.kind = Token::permille;
        return;
      case '(':
      case '[':
      case '{':
        token_.kind = Token::open;
        return;
      case ')':
      case ']':
      case '}':
        token_.kind = Token::close;
        return;
      case '=':
        take('=');
        break;
      case '<':
        if (take('=')) token_.sign = 'l';
        break;
      case '>':
        if (take('=')) token_.sign = 'g';
        break;
      case '!':
        if (take('=')) break;
        fail(CalculatorError::syntax);
        return;
      default:
        fail(CalculatorError::unknown_character);
        return;
    }
    token_.kind = Token::compare;
  }

  Calculated comparison() {
    Rational left = sum();
    if (token_.kind != Token::compare) return left;
    bool holds = true;
    while (token_.kind == Token::compare) {
      const char sign = token_.sign;
      advance();
      Rational right = sum();
      const int order = arithmetic_.compare(left, right);
      holds &= sign == '='   ? order == 0
               : sign == '!' ? order != 0
               : sign == '<' ? order < 0
               : sign == '>' ? order > 0
               : sign == 'l' ? order <= 0
                             : order >= 0;
      left = std::move(right);
    }
    return holds;
  }

  Rational sum() {
    Rational total = product();
    while (token_.kind == Token::plus || token_.kind == Token::minus) {
      const bool is_minus = token_.kind == Token::minus;
      advance();
      const Rational term = product();
      total = is_minus ? arithmetic_.difference(total, term) : arithmetic_.sum(total, term);
    }
    return total;
  }

  Rational product() {
    Rational total = signed_power();
    while (token_.kind == Token::times || token_.kind == Token::divide) {
      const bool is_quotient = token_.kind == Token::divide;
      advance();
      const Rational factor = signed_power();
      total = is_quotient ? arithmetic_.quotient(total, factor) : arithmetic_.product(total, factor);
    }
    if (token_.kind == Token::number || token_.kind == Token::open)
      return fail(CalculatorError::implicit_multiplication);
    return total;
  }

  Rational signed_power() {
    int signs = 0;
    bool is_negative = false;
    for (; token_.kind == Token::plus || token_.kind == Token::minus; advance(), ++signs) {
      is_negative ^= token_.kind == Token::minus;
      if (!deeper()) return {};
    }
    Rational value = power();
    depth_ -= signs;
    return is_negative ? -value : value;
  }

  Rational power() {
    Rational base = percent();
    if (token_.kind != Token::power) return base;
    if (!deeper()) return {};
    advance();
    const Rational exponent = signed_power();
    --depth_;
    return arithmetic_.power(base, exponent);
  }

  Rational percent() {
    Rational value = primary();
    for (; token_.kind == Token::percent || token_.kind == Token::permille; advance())
      value = arithmetic_.quotient(value, token_.kind == Token::percent ? 100 : 1000);
    return value;
  }

  Rational primary() {
    if (token_.kind == Token::number) {
      Rational value = std::move(token_.value);
      advance();
      return value;
    }
    if (token_.kind != Token::open) return unexpected();
    const char closing = token_.sign == '(' ? ')' : token_.sign == '[' ? ']' : '}';
    if (!deeper()) return {};
    ++open_;
    advance();
    Rational value = sum();
    if (token_.kind != Token::close) return unexpected();
    if (token_.sign != closing) return fail(CalculatorError::unbalanced);
    --open_;
    --depth_;
    advance();
    return value;
  }

  bool deeper() {
    if (++depth_ > kMaxDepth) fail(CalculatorError::limit_depth);
    return depth_ <= kMaxDepth;
  }

  std::string_view text_;
  size_t at_ = 0;
  Token token_;
  int depth_ = 0;
  int open_ = 0;
  std::optional<CalculatorError> error_;
  Arithmetic arithmetic_;
};
}  // namespace

Calculated calculate(std::string_view expression) {
  if (expression.size() > kMaxBytes) return CalculatorError::limit_length;
  const bool is_ascii = std::all_of(expression.begin(), expression.end(), [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) return Parser(expression).run();
  return Parser(in_signs(expression)).run();
}

std::string str(const Calculated& calculated) {
  if (const auto* number = std::get_if<Rational>(&calculated)) return number->str();
  if (const auto* holds = std::get_if<bool>(&calculated)) return *holds ? "true" : "false";
  return std::string(name_of(std::get<CalculatorError>(calculated)));
}

}  // namespace tinyllm
