#pragma once

#include <tinyllm/model/text/jinja/arguments.h>
#include <tinyllm/model/text/jinja/ast.h>

#include <ctime>
#include <deque>
#include <unordered_map>

namespace tinyllm::jinja {

using Names = std::unordered_map<std::string_view, Value>;

/// Renders a template once.
class Evaluator {
 public:
  /// `now` is what strftime_now prints.
  Evaluator(Names globals, const std::tm& now, Budget& budget);

  Text run(const Block& block);
  /// The line of the template that runs, for errors.
  int line() const { return line_; }

 private:
  enum class Flow : uint8_t { next, stop_loop, next_round };
  // The variables of a block. Blocks inside it see them too. They end with the block.
  struct Scope {
    Scope* outer;
    Names names;
  };
  class Inner;

  Flow execute(const Block& block);
  Flow run(const Data& data);
  Flow run(const Output& output);
  Flow run(const If& branches);
  Flow run(const For& loop);
  Flow run(const Set& set);
  Flow run(const SetBlock& set);
  Flow run(const FilterBlock& block);
  Flow run(const Macro& macro);
  Flow run(const Break&) { return Flow::stop_loop; }
  Flow run(const Continue&) { return Flow::next_round; }
  Flow run(const Generation& block);
  ListPtr rounds_of(const For& loop);
  // The text that a block prints, and how it ended.
  std::pair<Text, Flow> captured(const Block& block);
  void assign(const Target& target, const Value& value);
  void print(const Text& text);
  Value filtered(Value value, const std::vector<Filter>& filters);

  Value eval(const Expr& expr);
  Value eval(const Constant& constant) { return constant.value; }
  Value eval(const Variable& variable);
  Value eval(const ListOf& list);
  Value eval(const DictOf& dict);
  Value eval(const Unary& unary);
  Value eval(const Arithmetic& arithmetic);
  Value eval(const Comparison& comparison);
  Value eval(const Logic& logic);
  Value eval(const Conditional& conditional);
  Value eval(const Chain& chain);
  Value apply_suffix(const Value& value, const Attribute& suffix);
  Value apply_suffix(const Value& value, const Subscript& suffix);
  Value apply_suffix(const Value& value, const Slice& suffix);
  Value apply_suffix(const Value& value, const Call& suffix);
  Value apply_suffix(const Value& value, const Filter& suffix);
  Value apply_suffix(const Value& value, const Test& suffix);
  Value eval_or_none(const ExprPtr& expr) { return expr != nullptr ? eval(*expr) : Value(None{}); }
  Arguments eval(const std::vector<Argument>& arguments);

  Value call(const Macro& macro, const Arguments& arguments);
  Value call(Builtin builtin, const Arguments& arguments);
  Value make_namespace(const Arguments& arguments);

  // The deepest nesting of blocks, expressions and macro calls while a template runs.
  static constexpr int kMaxDepth = 400;

  Budget& budget_;
  std::tm now_;
  Scope globals_;
  Scope* scope_ = &globals_;
  Text* out_ = nullptr;
  int line_ = 1;
  int depth_ = 0;
  std::deque<Namespace> namespaces_;
  std::deque<Loop> loop_states_;  // Kept, as a template may use `loop` after its loop.
};

}  // namespace tinyllm::jinja
