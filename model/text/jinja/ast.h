// The syntax tree of a template. Operators of one precedence are a list, and so is everything that follows a value, as
// in `.a[0]|trim`. The tree is therefore only as deep as the brackets and blocks in the source, which the parser
// limits.
#pragma once

#include <tinyllm/model/text/jinja/value.h>

namespace tinyllm::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

struct Argument {
  std::string name;  ///< Empty: by position.
  ExprPtr value;
};

struct Constant {
  Value value;
};
struct Variable {
  std::string name;
};
struct ListOf {
  std::vector<ExprPtr> items;
  bool tuple;
};
struct DictOf {
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
struct Unary {
  enum class Op : uint8_t { minus, plus, not_ } op;
  ExprPtr operand;
};
struct Arithmetic {
  enum class Op : uint8_t { add, subtract, multiply, divide, floor_divide, modulo, concatenate };
  ExprPtr first;
  std::vector<std::pair<Op, ExprPtr>> rest;
};
struct Comparison {
  enum class Op : uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
  ExprPtr first;
  std::vector<std::pair<Op, ExprPtr>> rest;
};
/// `a and b and c`, or with `or`.
struct Logic {
  bool all;
  std::vector<ExprPtr> operands;
};
struct Conditional {
  ExprPtr condition;
  ExprPtr then;
  ExprPtr otherwise;  ///< May be null.
};

struct Attribute {
  std::string name;
};
struct Subscript {
  ExprPtr index;
};
struct Slice {
  ExprPtr begin, end, step;  ///< Each may be null.
};
struct Call {
  std::vector<Argument> arguments;
};
struct Filter {
  std::string name;
  std::vector<Argument> arguments;
};
struct Test {
  std::string name;
  std::vector<Argument> arguments;
  bool negated;
};
struct Suffix {
  int line;
  std::variant<Attribute, Subscript, Slice, Call, Filter, Test> what;
};
/// A value and the suffixes that are applied to it in order.
struct Chain {
  ExprPtr base;
  std::vector<Suffix> suffixes;
};

struct Expr {
  int line;
  std::variant<Constant, Variable, ListOf, DictOf, Unary, Arithmetic, Comparison, Logic, Conditional, Chain> what;
};

struct Stmt;
using Block = std::vector<Stmt>;

/// The target of `set` and `for`: a name, several names, or a field of a namespace.
struct Target {
  std::vector<std::string> names;
  std::string field;
};

struct Data {
  Value text;
};
struct Output {
  ExprPtr value;
};
struct Branch;
struct If {
  std::vector<Branch> branches;
  Block otherwise;
};
struct For {
  Target target;
  ExprPtr iterable;
  ExprPtr condition;  ///< May be null.
  Block body;
  Block otherwise;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  std::vector<Filter> filters;
  Block body;
};
struct FilterBlock {
  std::vector<Filter> filters;
  Block body;
};
struct Parameter {
  std::string name;
  ExprPtr otherwise;  ///< May be null.
};
struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  Block body;
};
struct Break {};
struct Continue {};
struct Generation {
  Block body;
};

struct Stmt {
  int line;
  std::variant<Data, Output, If, For, Set, SetBlock, FilterBlock, Macro, Break, Continue, Generation> what;
};
struct Branch {
  ExprPtr condition;
  Block body;
};

}  // namespace tinyllm::jinja
