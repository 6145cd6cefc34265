#include <tinyllm/model/text/jinja/operators.h>

#include <tinyllm/model/text/jinja/print.h>

#include <cmath>
#include <optional>

namespace tinyllm::jinja {
namespace {

using Op = Arithmetic::Op;

std::string_view symbol(Op op) {
  static constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "~"};
  return kSymbols[static_cast<size_t>(op)];
}

[[noreturn]] void refuse(Op op, const Value& a, const Value& b) {
  for (const Value* side : {&a, &b}) {
    if (const auto* missing = std::get_if<Undefined>(side)) throw Error("{}", *missing->why);
  }
  throw Error("'{}' does not take {} and {}", symbol(op), type_name(a), type_name(b));
}

std::optional<double> real_in(const Value& value) {
  int64_t storage = 0;
  if (const int64_t* integer = integer_in(value, storage)) return static_cast<double>(*integer);
  const auto* real = std::get_if<double>(&value);
  return real != nullptr ? std::optional(*real) : std::nullopt;
}

// As in Python, the quotient is rounded down, and the remainder has the sign of the divisor.
Value divided_down(bool remainder, int64_t a, int64_t b) {
  if (b == 0) throw Error("divides by 0");
  if (b == -1) {
    int64_t negated = 0;
    if (!remainder && __builtin_sub_overflow(int64_t{0}, a, &negated)) throw Error("an integer is too large");
    return negated;
  }
  const bool down = a % b != 0 && (a % b < 0) != (b < 0);
  if (remainder) return a % b + (down ? b : 0);
  return a / b - (down ? 1 : 0);
}

Value integers(Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Op::add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Op::subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Op::multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Op::divide:
      if (b == 0) throw Error("divides by 0");
      return static_cast<double>(a) / static_cast<double>(b);
    case Op::floor_divide:
      return divided_down(false, a, b);
    default:
      return divided_down(true, a, b);
  }
  if (overflow) throw Error("an integer is too large");
  return result;
}

Value reals(Op op, double a, double b) {
  if (op == Op::add) return a + b;
  if (op == Op::subtract) return a - b;
  if (op == Op::multiply) return a * b;
  if (b == 0) throw Error("divides by 0");
  if (op == Op::divide) return a / b;
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  if (op == Op::modulo) return remainder == 0 ? std::copysign(0.0, b) : remainder;
  return std::round((a - remainder) / b);
}

Value joined(const Text& a, const Text& b, Budget& budget) {
  Text text = a;
  text.append(b);
  return make_text(std::move(text), budget);
}

// Repeats a text or list `count` times.
Value repeated(const Value& value, int64_t count, Budget& budget) {
  const Text* text = text_in(value);
  Text texts;
  std::vector<Value> items;
  const bool empty = text != nullptr ? text->empty() : list_in(value)->items.empty();
  for (int64_t i = 0; i < count && !empty; ++i) {
    budget.step(1 + (text != nullptr ? text->runs().size() : list_in(value)->items.size()));
    if (text != nullptr) {
      texts.append(*text);
    } else {
      items.insert(items.end(), list_in(value)->items.begin(), list_in(value)->items.end());
    }
  }
  if (text != nullptr) return make_text(std::move(texts), budget);
  return make_list(std::move(items), budget, list_in(value)->kind);
}

bool is_plain_list(const Value& value) {
  const List* list = list_in(value);
  return list != nullptr && (list->kind == List::Kind::list || list->kind == List::Kind::tuple);
}

}  // namespace

Value apply(Op op, const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (op == Op::concatenate) {
    return joined(*text_in(to_text(a, budget)), *text_in(to_text(b, budget)), budget);
  }
  int64_t a_storage = 0;
  int64_t b_storage = 0;
  const int64_t* a_integer = integer_in(a, a_storage);
  const int64_t* b_integer = integer_in(b, b_storage);
  if (a_integer != nullptr && b_integer != nullptr) return integers(op, *a_integer, *b_integer);
  const std::optional<double> a_real = real_in(a);
  const std::optional<double> b_real = real_in(b);
  if (a_real && b_real) return reals(op, *a_real, *b_real);
  if (op == Op::add && text_in(a) != nullptr && text_in(b) != nullptr) return joined(*text_in(a), *text_in(b), budget);
  if (op == Op::add && is_plain_list(a) && is_plain_list(b) && list_in(a)->kind == list_in(b)->kind) {
    std::vector<Value> items = list_in(a)->items;
    items.insert(items.end(), list_in(b)->items.begin(), list_in(b)->items.end());
    return make_list(std::move(items), budget, list_in(a)->kind);
  }
  const auto repeats = [](const Value& value) { return text_in(value) != nullptr || is_plain_list(value); };
  if (op == Op::multiply && repeats(a) && b_integer != nullptr) return repeated(a, *b_integer, budget);
  if (op == Op::multiply && repeats(b) && a_integer != nullptr) return repeated(b, *a_integer, budget);
  refuse(op, a, b);
}

bool apply(Comparison::Op op, const Value& a, const Value& b, Budget& budget) {
  switch (op) {
    case Comparison::Op::equal:
      return equal(a, b, budget);
    case Comparison::Op::not_equal:
      return !equal(a, b, budget);
    case Comparison::Op::less:
      return compare(a, b, budget) < 0;
    case Comparison::Op::less_equal:
      return compare(a, b, budget) <= 0;
    case Comparison::Op::greater:
      return compare(a, b, budget) > 0;
    case Comparison::Op::greater_equal:
      return compare(a, b, budget) >= 0;
    case Comparison::Op::in:
      return contains(b, a, budget);
    default:
      return !contains(b, a, budget);
  }
}

Value signed_number(Unary::Op op, const Value& value) {
  int64_t storage = 0;
  const int64_t* integer = integer_in(value, storage);
  if (integer != nullptr) return op == Unary::Op::minus ? integers(Op::subtract, 0, *integer) : Value(*integer);
  const auto* real = std::get_if<double>(&value);
  if (real != nullptr) return op == Unary::Op::minus ? -*real : *real;
  if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("{}", *missing->why);
  throw Error("{} has no sign", type_name(value));
}

}  // namespace tinyllm::jinja
