#include <tinyllm/model/text/jinja/evaluator.h>

#include <tinyllm/model/text/jinja/filters.h>
#include <tinyllm/model/text/jinja/print.h>

namespace tinyllm::jinja {
class Evaluator::Inner {
 public:
  Inner(Evaluator& evaluator, Scope* outer) : evaluator_(evaluator), before_(evaluator.scope_), scope_{outer, {}} {
    evaluator.scope_ = &scope_;
  }
  explicit Inner(Evaluator& evaluator) : Inner(evaluator, evaluator.scope_) {}
  ~Inner() { evaluator_.scope_ = before_; }
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

 private:
  Evaluator& evaluator_;
  Scope* before_;
  Scope scope_;
};

Evaluator::Evaluator(Names globals, const std::tm& now, Budget& budget)
    : budget_(budget), now_(now), globals_{nullptr, std::move(globals)} {
  globals_.names.try_emplace("range", Builtin::range);
  globals_.names.try_emplace("namespace", Builtin::namespace_);
  globals_.names.try_emplace("raise_exception", Builtin::raise_exception);
  globals_.names.try_emplace("strftime_now", Builtin::strftime_now);
}

Text Evaluator::run(const Block& block) { return captured(block).first; }

std::pair<Text, Evaluator::Flow> Evaluator::captured(const Block& block) {
  Text text;
  Text* const before = std::exchange(out_, &text);
  const Flow flow = execute(block);
  out_ = before;
  budget_.made(text);
  return {std::move(text), flow};
}

Evaluator::Flow Evaluator::execute(const Block& block) {
  const Nesting nesting(depth_, kMaxDepth);
  for (const Stmt& statement : block) {
    budget_.step();
    line_ = statement.line;
    const Flow flow = std::visit([&](const auto& what) { return run(what); }, statement.what);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

void Evaluator::print(const Text& text) {
  budget_.step(1 + text.size() / 16 + text.runs().size());
  out_->append(text);
}

Evaluator::Flow Evaluator::run(const Data& data) {
  print(*text_in(data.text));
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const Output& output) {
  print(*text_in(to_text(eval(*output.value), budget_)));
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const If& branches) {
  for (const Branch& branch : branches.branches) {
    if (truth(eval(*branch.condition))) return execute(branch.body);
  }
  return execute(branches.otherwise);
}

Evaluator::Flow Evaluator::run(const For& loop) {
  const ListPtr items = rounds_of(loop);
  if (items->items.empty()) {
    const Inner inner(*this);
    return execute(loop.otherwise);
  }
  budget_.step(8);
  Loop& state = loop_states_.emplace_back(Loop{items});
  for (; state.index < items->items.size(); ++state.index) {
    budget_.step();
    Inner inner(*this);
    assign(loop.target, items->items[state.index]);
    scope_->names["loop"] = static_cast<const Loop*>(&state);
    if (execute(loop.body) == Flow::stop_loop) break;
  }
  return Flow::next;
}

// The items that the loop visits: those that meet its condition, if it has one.
ListPtr Evaluator::rounds_of(const For& loop) {
  const ListPtr items = items_of(eval(*loop.iterable), budget_);
  if (loop.condition == nullptr) return items;
  std::vector<Value> chosen;
  for (const Value& item : items->items) {
    const Inner inner(*this);
    assign(loop.target, item);
    if (truth(eval(*loop.condition))) chosen.push_back(item);
  }
  return std::get<ListPtr>(make_list(std::move(chosen), budget_));
}

void Evaluator::assign(const Target& target, const Value& value) {
  if (!target.field.empty()) {
    const auto found = eval(Variable{target.names[0]});
    const auto* space = std::get_if<Namespace*>(&found);
    if (space == nullptr) throw Error("'{}' is {}, expected a namespace", target.names[0], type_name(found));
    budget_.step(4);
    depth_above(value);
    (*space)->fields[target.field] = value;
  } else if (target.names.size() == 1) {
    scope_->names[target.names[0]] = value;
  } else {
    const ListPtr items = items_of(value, budget_);
    if (items->items.size() != target.names.size()) {
      throw Error("found {} values for {} names", items->items.size(), target.names.size());
    }
    for (size_t i = 0; i < target.names.size(); ++i) scope_->names[target.names[i]] = items->items[i];
  }
}

Evaluator::Flow Evaluator::run(const Set& set) {
  assign(set.target, eval(*set.value));
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const SetBlock& set) {
  Value value;
  {
    const Inner inner(*this);
    auto [text, flow] = captured(set.body);
    if (flow != Flow::next) return flow;
    value = filtered(make_text(std::move(text), budget_), set.filters);
  }
  assign(set.target, value);
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const FilterBlock& block) {
  const Inner inner(*this);
  auto [text, flow] = captured(block.body);
  const Value value = filtered(make_text(std::move(text), budget_), block.filters);
  print(*text_in(to_text(value, budget_)));
  return flow;
}

Value Evaluator::filtered(Value value, const std::vector<Filter>& filters) {
  for (const Filter& filter : filters) value = apply_filter(filter.name, value, eval(filter.arguments), budget_);
  return value;
}

Evaluator::Flow Evaluator::run(const Macro& macro) {
  scope_->names[macro.name] = &macro;
  return Flow::next;
}

Evaluator::Flow Evaluator::run(const Generation& block) {
  const Inner inner(*this);
  auto [text, flow] = captured(block.body);
  text.learn();
  print(text);
  return flow;
}

Value Evaluator::call(const Macro& macro, const Arguments& arguments) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : macro.parameters) names.push_back(parameter.name);
  const Bound bound(macro.name, names, arguments);
  const Inner inner(*this, &globals_);
  for (size_t i = 0; i < names.size(); ++i) {
    const ExprPtr& otherwise = macro.parameters[i].otherwise;
    Value value = undefined(fmt::format("the macro '{}' was not given '{}'", macro.name, names[i]));
    if (otherwise != nullptr && bound.get(i) == nullptr) value = eval(*otherwise);
    if (bound.get(i) != nullptr) value = *bound.get(i);
    scope_->names[names[i]] = std::move(value);
  }
  const int line = line_;
  Text text = captured(macro.body).first;
  line_ = line;
  return make_text(std::move(text), budget_);
}

}  // namespace tinyllm::jinja
