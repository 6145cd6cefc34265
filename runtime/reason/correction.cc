#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/correction.h>
#include <tinyllm/runtime/reason/equation_signs.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/runtime/reason/number_literal.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tinyllm {
namespace {
constexpr int kMaxDecimals = 6;

// A number as a text writes it.
struct Written {
  size_t begin = 0;
  size_t end = 0;
  Rational value = {};
  int decimals = 0;
  bool is_percent = false;
  bool is_fraction = false;
};

// The number at a sign: digits, a percentage, or a fraction of two that no power or other division takes apart.
std::optional<Written> written_at(const std::string& signs, size_t at) {
  if (!is_digit(signs[at]) && signs[at] != '.') return {};
  Arithmetic arithmetic;
  const std::optional<NumberLiteral> literal = number_literal(signs, at, false, arithmetic);
  if (!literal || arithmetic.error()) return {};
  Written written{at, literal->end, literal->value, literal->decimals};
  const auto sign = [&](size_t i) { return i < signs.size() ? signs[i] : ' '; };
  if (sign(written.end) == '%') {
    ++written.end;
    written.is_percent = true;
    written.value = arithmetic.quotient(written.value, 100);
  } else if (written.value.is_integer() && sign(written.end) == '/' && is_digit(sign(written.end + 1)) &&
             (at == 0 || (signs[at - 1] != '/' && signs[at - 1] != '^'))) {
    const std::optional<NumberLiteral> below = number_literal(signs, written.end + 1, false, arithmetic);
    if (below && below->value.is_integer() && below->value.sign() > 0 && sign(below->end) != '^' &&
        sign(below->end) != '%') {
      written.end = below->end;
      written.value = arithmetic.quotient(written.value, below->value);
      written.is_fraction = true;
    }
  }
  return arithmetic.error() ? std::nullopt : std::optional(written);
}

// Every number in a text; of a fraction, its parts too, behind it.
std::vector<Written> numbers_in(std::string_view text) {
  const EquationSigns signs = equation_signs(text);
  std::vector<Written> found;
  for (size_t at = 0; at < signs.signs.size();) {
    const std::optional<Written> written = written_at(signs.signs, at);
    if (!written) {
      ++at;
      continue;
    }
    at = written->is_fraction ? signs.signs.find('/', at) + 1 : written->end;
    found.push_back(*written);
    found.back().begin = signs.bytes[written->begin];
    found.back().end = signs.bytes[written->end];
    if (!written->is_fraction) continue;
    Arithmetic arithmetic;
    const NumberLiteral above = *number_literal(signs.signs, written->begin, false, arithmetic);
    found.push_back({signs.bytes[written->begin], signs.bytes[above.end], above.value, above.decimals});
  }
  return found;
}

// A value in the form of a number that it replaces. `is_operand`: an operator may stand beside it.
std::string written_like(const Rational& value, const Written& old, bool is_approximate, bool is_operand) {
  std::string text;
  if (old.is_percent) {
    const Rational hundredfold = Arithmetic().product(value, 100);
    const std::optional<std::string> percent = hundredfold.decimal(is_approximate ? old.decimals : kMaxDecimals);
    if (percent) text = *percent + '%';
  }
  if (text.empty() && !(old.is_fraction && !value.is_integer())) {
    const std::optional<std::string> decimal = value.decimal(kMaxDecimals);
    if (decimal) text = *decimal;
  }
  if (text.empty()) text = value.str();
  const bool is_simple = text.find('/') == std::string::npos && value.sign() >= 0;
  return !is_operand || is_simple ? text : '(' + text + ')';
}

struct Edit {
  size_t begin;
  size_t end;
  std::string after;
};

std::string edited(std::string_view text, const std::vector<Edit>& edits) {
  std::string result;
  size_t at = 0;
  for (const Edit& edit : edits) {
    result += text.substr(at, edit.begin - at);
    result += edit.after;
    at = edit.end;
  }
  return result += text.substr(at);
}

class Corrector {
 public:
  Corrector(std::string_view question, std::string_view chain) : chain_(chain) {
    for (const Written& number : numbers_in(question)) given_.insert(number.value);
  }

  CorrectedChain run() {
    for (const Equation& equation : equations_in(chain_)) read(equation);
    answer();
    const auto by_place = [](const Correction& a, const Correction& b) { return a.begin < b.begin; };
    std::stable_sort(result_.corrections.begin(), result_.corrections.end(), by_place);
    std::vector<Edit> edits;
    for (const Correction& correction : result_.corrections)
      edits.push_back({correction.begin, correction.end, correction.after});
    result_.text = edited(chain_, edits);
    return std::move(result_);
  }

 private:
  // What a false result became. Of what may also be something else, only the place is kept.
  const Rational* corrected(const Rational& value, size_t place) {
    const auto found = changed_.find(value);
    if (found == changed_.end()) return nullptr;
    if (!given_.contains(value)) return &found->second;
    result_.doubtful.push_back(place);
    return nullptr;
  }

  void replace(Correction::Why why, size_t begin, size_t end, std::string after) {
    std::string before(chain_.substr(begin, end - begin));
    if (before != after) result_.corrections.push_back({why, begin, end, std::move(before), std::move(after)});
  }

  // Replaces operands of a side; its value then.
  std::optional<Rational> with_operands(const EquationSide& side) {
    const std::string_view text = chain_.substr(side.begin, side.end - side.begin);
    std::vector<Edit> edits;
    size_t behind = 0;
    for (const Written& number : numbers_in(text)) {
      if (number.begin < behind) continue;  // A part of a fraction that was replaced.
      const size_t place = side.begin + number.begin;
      const Rational* value = place < repeated_ ? &repeated_value_ : corrected(number.value, place);
      if (value == nullptr) continue;
      const bool is_operand = !side.is_number;
      edits.push_back({number.begin, number.end, written_like(*value, number, false, is_operand)});
      behind = number.end;
    }
    const Calculated result = calculate(equation_signs(edited(text, edits)).signs);
    const auto* value = std::get_if<Rational>(&result);
    if (value == nullptr) return {};
    for (Edit& edit : edits) {
      if (side.begin + edit.begin < repeated_) continue;  // Replaced already, as the result said again.
      replace(Correction::Why::operand, side.begin + edit.begin, side.begin + edit.end, std::move(edit.after));
    }
    return *value;
  }

  void read(const Equation& equation) {
    std::optional<Rational> value = with_operands(equation.sides[0]);
    for (size_t i = 1; i < equation.sides.size(); ++i) {
      const EquationSide& side = equation.sides[i];
      if (!value) return;
      if (side.is_number) {
        value = result(side, *value, equation.sides[i - 1]);
        continue;
      }
      const std::optional<Rational> computed = with_operands(side);
      if (computed != value) {
        result_.doubtful.push_back(side.begin);
        return;
      }
    }
  }

  // A number that an equation gives; what it is worth then.
  Rational result(const EquationSide& side, const Rational& value, const EquationSide& left) {
    const std::string_view text = chain_.substr(side.begin, side.end - side.begin);
    const std::vector<Written> numbers = numbers_in(text);
    const Written old = numbers.empty() ? Written{} : numbers[0];
    Rational right = value;
    if (side.is_approximate) {
      // Rounded as it is written, unless that is right already.
      if (side.holds && value == left.value) return side.value;
      right = value.rounded(old.decimals + (old.is_percent ? 2 : 0));
    }
    if (side.value == right) {
      given_.insert(right);
      return right;
    }
    replace(side.holds ? Correction::Why::result : Correction::Why::slip, side.begin, side.end,
            written_like(right, old, side.is_approximate, false));
    repeat(side, old, right);
    changed_.insert_or_assign(side.value, right);
    return right;
  }

  // GSM8K says a result again behind its equation: <<3+4=8>>8.
  void repeat(const EquationSide& side, const Written& old, const Rational& right) {
    if (!chain_.substr(side.end).starts_with(">>")) return;
    const size_t begin = side.end + 2;
    const std::vector<Written> numbers = numbers_in(chain_.substr(begin, side.end - side.begin + 1));
    if (numbers.empty() || numbers[0].begin != 0 || numbers[0].value != side.value) return;
    repeated_ = begin + numbers[0].end;
    repeated_value_ = right;
    replace(Correction::Why::result, begin, repeated_, written_like(right, old, false, false));
  }

  void answer() {
    const ExtractedAnswer found = extract_answer(chain_);
    constexpr size_t kLongest = 1024;
    if (found.text.empty() || found.text.size() > kLongest || changed_.empty()) return;
    const auto begin = static_cast<size_t>(found.text.data() - chain_.data());
    const std::optional<Rational> value = normal_answer(found.text).value();
    size_t behind = 0;
    for (const Written& number : numbers_in(found.text)) {
      const size_t at = begin + number.begin;
      const size_t end = begin + number.end;
      const bool is_done = std::any_of(result_.corrections.begin(), result_.corrections.end(),
                                       [&](const Correction& c) { return c.begin < end && at < c.end; });
      if (is_done || number.begin < behind) continue;
      const bool is_negative = number.begin > 0 && found.text[number.begin - 1] == '-';
      const Rational said = is_negative ? -number.value : number.value;
      if (value && *value != said) continue;
      const Rational* right = corrected(said, at);
      if (right == nullptr) continue;
      replace(Correction::Why::answer, at - is_negative, end, written_like(*right, number, false, false));
      behind = number.end;
    }
  }

  std::string_view chain_;
  std::set<Rational> given_;              // Numbers of the question, and of true equations.
  std::map<Rational, Rational> changed_;  // False results, and what they became.
  Rational repeated_value_;
  size_t repeated_ = 0;  // Up to where the last result said again was replaced.
  CorrectedChain result_;
};
}  // namespace

CorrectedChain corrected_chain(std::string_view question, std::string_view chain) {
  return Corrector(question, chain).run();
}

}  // namespace tinyllm
