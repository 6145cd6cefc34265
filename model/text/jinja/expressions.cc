// Evaluates expressions.
#include <tinyllm/model/text/jinja/evaluator.h>
#include <tinyllm/model/text/jinja/filters.h>
#include <tinyllm/model/text/jinja/methods.h>
#include <tinyllm/model/text/jinja/operators.h>
#include <tinyllm/model/text/jinja/print.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

// Python's range, with Jinja's limit on its length.
Value range(const Arguments& arguments, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"start", "stop", "step"};
  static constexpr size_t kMaxRange = 100000;
  const Bound bound("range", kParameters, arguments);
  bound.need(0);
  const bool has_start = bound.get(1) != nullptr;
  const int64_t first = has_start ? bound.integer(0, 0) : 0;
  const int64_t last = bound.integer(has_start ? 1 : 0, 0);
  const int64_t step = bound.integer(2, 1);
  if (step == 0) throw Error("range: the step is 0");
  std::vector<Value> items;
  int64_t i = first;
  bool overflow = false;
  for (; !overflow && (step > 0 ? i < last : i > last); overflow = __builtin_add_overflow(i, step, &i)) {
    if (items.size() == kMaxRange) throw Error("range: has more than {} numbers", kMaxRange);
    budget.step();
    items.emplace_back(i);
  }
  return make_list(std::move(items), budget, List::Kind::range);
}

Value raise_exception(const Arguments& arguments, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"message"};
  constexpr size_t kMaxBytes = 400;
  const Value message = to_text(Bound("raise_exception", kParameters, arguments).need(0), budget);
  const std::string_view text = text_in(message)->bytes();
  throw Error("the template refuses this: {}", text.substr(0, character_cut(text, kMaxBytes)));
}

Value strftime_now(const Arguments& arguments, const std::tm& now, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"format"};
  const std::string_view given = Bound("strftime_now", kParameters, arguments).text(0).bytes();
  if (given.size() > 100) throw Error("strftime_now: the format has more than 100 bytes");
  // strftime returns 0 both for an empty result and for one that does not fit. One extra byte tells them apart.
  const std::string format = std::string(given) + ".";
  char buffer[4096];
  const size_t size = std::strftime(buffer, sizeof buffer, format.c_str(), &now);
  if (size == 0) throw Error("strftime_now: the date is too long");
  return make_text(replace_invalid_utf8({buffer, size - 1}), budget);
}

}  // namespace

Value Evaluator::eval(const Expr& expr) {
  const Nesting nesting(depth_, kMaxDepth);
  budget_.step();
  line_ = expr.line;
  return std::visit([&](const auto& what) { return eval(what); }, expr.what);
}

Value Evaluator::eval(const Variable& variable) {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    const auto found = scope->names.find(variable.name);
    if (found != scope->names.end()) return found->second;
    budget_.step();
  }
  return undefined(fmt::format("'{}' is undefined", variable.name.substr(0, 100)));
}

Value Evaluator::eval(const ListOf& list) {
  std::vector<Value> items;
  for (const ExprPtr& item : list.items) items.push_back(eval(*item));
  return make_list(std::move(items), budget_, list.tuple ? List::Kind::tuple : List::Kind::list);
}

Value Evaluator::eval(const DictOf& dict) {
  Dict result;
  for (const auto& [key_expr, value_expr] : dict.entries) {
    const Value key = eval(*key_expr);
    Value value = eval(*value_expr);
    const Value* before = find(result, key, budget_);
    const auto same = std::find_if(result.entries.begin(), result.entries.end(),
                                   [&](const auto& entry) { return &entry.second == before; });
    if (same != result.entries.end()) {
      same->second = std::move(value);
    } else {
      result.entries.emplace_back(key, std::move(value));
    }
  }
  return make_dict(std::move(result.entries), budget_);
}

Value Evaluator::eval(const Unary& unary) {
  const Value value = eval(*unary.operand);
  if (unary.op == Unary::Op::not_) return !truth(value);
  return signed_number(unary.op, value);
}

Value Evaluator::eval(const Arithmetic& arithmetic) {
  Value value = eval(*arithmetic.first);
  for (const auto& [op, operand] : arithmetic.rest) value = apply(op, value, eval(*operand), budget_);
  return value;
}

// `a < b < c` is `a < b and b < c`.
Value Evaluator::eval(const Comparison& comparison) {
  Value left = eval(*comparison.first);
  for (const auto& [op, operand] : comparison.rest) {
    Value right = eval(*operand);
    if (!apply(op, left, right, budget_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::eval(const Logic& logic) {
  Value value;
  for (const ExprPtr& operand : logic.operands) {
    value = eval(*operand);
    if (truth(value) != logic.all) return value;
  }
  return value;
}

Value Evaluator::eval(const Conditional& conditional) {
  if (truth(eval(*conditional.condition))) return eval(*conditional.then);
  if (conditional.otherwise != nullptr) return eval(*conditional.otherwise);
  return undefined("the condition is false, and there is no `else`");
}

Value Evaluator::eval(const Chain& chain) {
  Value value = eval(*chain.base);
  for (const Suffix& suffix : chain.suffixes) {
    budget_.step();
    line_ = suffix.line;
    value = std::visit([&](const auto& what) { return apply_suffix(value, what); }, suffix.what);
  }
  return value;
}

Value Evaluator::apply_suffix(const Value& value, const Attribute& suffix) {
  return attribute(value, suffix.name, budget_);
}

Value Evaluator::apply_suffix(const Value& value, const Subscript& suffix) {
  return subscript(value, eval(*suffix.index), budget_);
}

Value Evaluator::apply_suffix(const Value& value, const Slice& suffix) {
  return slice(value, eval_or_none(suffix.begin), eval_or_none(suffix.end), eval_or_none(suffix.step), budget_);
}

Value Evaluator::apply_suffix(const Value& value, const Filter& suffix) {
  return apply_filter(suffix.name, value, eval(suffix.arguments), budget_);
}

Value Evaluator::apply_suffix(const Value& value, const Test& suffix) {
  return apply_test(suffix.name, value, eval(suffix.arguments), budget_) != suffix.negated;
}

Value Evaluator::apply_suffix(const Value& value, const Call& suffix) {
  const Arguments arguments = eval(suffix.arguments);
  if (const auto* method = std::get_if<std::shared_ptr<const Method>>(&value)) {
    return call_method(**method, arguments, budget_);
  }
  if (const auto* macro = std::get_if<const Macro*>(&value)) return call(**macro, arguments);
  if (const auto* builtin = std::get_if<Builtin>(&value)) return call(*builtin, arguments);
  if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("{}", *missing->why);
  throw Error("{} cannot be called", type_name(value));
}

Arguments Evaluator::eval(const std::vector<Argument>& arguments) {
  Arguments result;
  for (const Argument& argument : arguments) {
    Value value = eval(*argument.value);
    if (argument.name.empty()) {
      result.values.push_back(std::move(value));
    } else {
      result.named.emplace_back(argument.name, std::move(value));
    }
  }
  return result;
}

Value Evaluator::call(Builtin builtin, const Arguments& arguments) {
  switch (builtin) {
    case Builtin::range:
      return range(arguments, budget_);
    case Builtin::namespace_:
      return make_namespace(arguments);
    case Builtin::raise_exception:
      return raise_exception(arguments, budget_);
    default:
      return strftime_now(arguments, now_, budget_);
  }
}

Value Evaluator::make_namespace(const Arguments& arguments) {
  if (!arguments.values.empty()) throw Error("namespace: expected arguments with names");
  budget_.step(8);
  Namespace& space = namespaces_.emplace_back();
  for (const auto& [name, value] : arguments.named) {
    depth_above(value);
    space.fields[name] = value;
  }
  return &space;
}

}  // namespace tinyllm::jinja
