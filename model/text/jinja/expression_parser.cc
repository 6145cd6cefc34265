#include <tinyllm/model/text/jinja/expression_parser.h>

#include <tinyllm/model/text/jinja/parser.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tinyllm::jinja {
namespace {

using Kind = Token::Kind;

template <class What>
ExprPtr make(int line, What what) {
  return std::make_unique<const Expr>(Expr{line, std::move(what)});
}

ExprPtr string_constant(int line, std::string_view text) {
  return make(line, Constant{std::make_shared<const Text>(text)});
}

template <class Op>
std::optional<Op> find_op(const Token& token, std::span<const std::pair<std::string_view, Op>> ops) {
  for (const auto& [text, op] : ops) {
    if (token.kind == Kind::op && token.text == text) return op;
  }
  return std::nullopt;
}

}  // namespace

const Token& ExpressionParser::peek(size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

Token ExpressionParser::take() {
  const size_t at = at_;
  if (at_ + 1 < tokens_.size()) ++at_;
  return tokens_[at];
}

bool ExpressionParser::take_op(std::string_view op) { return is_op(op) && (take(), true); }
bool ExpressionParser::take_name(std::string_view name) { return is_name(name) && (take(), true); }

void ExpressionParser::expect_op(std::string_view op) {
  if (!take_op(op)) refuse(fmt::format("'{}'", op));
}

std::string ExpressionParser::expect_name() {
  if (peek().kind != Kind::name) refuse("a name");
  return take().text;
}

void ExpressionParser::refuse(std::string_view expected) const {
  const Token& token = peek();
  const bool spelt = token.kind == Kind::name || token.kind == Kind::op || token.kind == Kind::integer;
  const std::string_view found = token.kind == Kind::end      ? "the end of the template"
                                 : token.kind == Kind::string ? "a string"
                                 : spelt                      ? std::string_view(token.text)
                                                              : "the end of the tag";
  throw Error("line {}: found {}, expected {}", token.line, found.substr(0, 40), expected);
}

ExprPtr ExpressionParser::tuple_or_expression(bool with_conditional) {
  const int line = peek().line;
  ExprPtr first = expression(with_conditional);
  if (!is_op(",")) return first;
  ListOf tuple{{}, true};
  tuple.items.push_back(std::move(first));
  while (take_op(",") && !ends_tuple()) tuple.items.push_back(expression(with_conditional));
  return make(line, std::move(tuple));
}

bool ExpressionParser::ends_tuple() const {
  return peek().kind == Kind::output_end || peek().kind == Kind::tag_end || is_op(")") || is_name("in");
}

ExprPtr ExpressionParser::expression(bool with_conditional) {
  const Nesting nesting(depth_, kMaxNesting);
  const int line = peek().line;
  ExprPtr value = or_();
  if (!with_conditional || !take_name("if")) return value;
  Conditional conditional{or_(), std::move(value), nullptr};
  if (take_name("else")) conditional.otherwise = expression();
  return make(line, std::move(conditional));
}

ExprPtr ExpressionParser::or_() {
  const int line = peek().line;
  ExprPtr first = and_();
  if (!is_name("or")) return first;
  Logic logic{false, {}};
  logic.operands.push_back(std::move(first));
  while (take_name("or")) logic.operands.push_back(and_());
  return make(line, std::move(logic));
}

ExprPtr ExpressionParser::and_() {
  const int line = peek().line;
  ExprPtr first = not_();
  if (!is_name("and")) return first;
  Logic logic{true, {}};
  logic.operands.push_back(std::move(first));
  while (take_name("and")) logic.operands.push_back(not_());
  return make(line, std::move(logic));
}

ExprPtr ExpressionParser::not_() {
  const Nesting nesting(depth_, kMaxNesting);
  const int line = peek().line;
  if (take_name("not")) return make(line, Unary{Unary::Op::not_, not_()});
  return comparison();
}

ExprPtr ExpressionParser::comparison() {
  using Op = Comparison::Op;
  static constexpr std::pair<std::string_view, Op> kOps[] = {{"==", Op::equal},  {"!=", Op::not_equal},
                                                             {"<", Op::less},    {"<=", Op::less_equal},
                                                             {">", Op::greater}, {">=", Op::greater_equal}};
  const int line = peek().line;
  Comparison comparison{sum(), {}};
  for (;;) {
    std::optional<Op> op = find_op<Op>(peek(), kOps);
    if (is_name("in")) op = Op::in;
    if (is_name("not") && peek(1).kind == Kind::name && peek(1).text == "in") {
      take();
      op = Op::not_in;
    }
    if (!op) break;
    take();
    comparison.rest.emplace_back(*op, sum());
  }
  if (comparison.rest.empty()) return std::move(comparison.first);
  return make(line, std::move(comparison));
}

// Operators of one precedence; `operand` parses the next higher one.
ExprPtr ExpressionParser::arithmetic(ExprPtr (ExpressionParser::*operand)(), Operators operators) {
  const int line = peek().line;
  Arithmetic level{(this->*operand)(), {}};
  while (const std::optional<Arithmetic::Op> op = find_op<Arithmetic::Op>(peek(), operators)) {
    take();
    level.rest.emplace_back(*op, (this->*operand)());
  }
  if (level.rest.empty()) return std::move(level.first);
  return make(line, std::move(level));
}

ExprPtr ExpressionParser::sum() {
  using Op = Arithmetic::Op;
  static constexpr std::pair<std::string_view, Op> kOps[] = {{"+", Op::add}, {"-", Op::subtract}};
  return arithmetic(&ExpressionParser::concatenation, kOps);
}

ExprPtr ExpressionParser::concatenation() {
  static constexpr std::pair<std::string_view, Arithmetic::Op> kOps[] = {{"~", Arithmetic::Op::concatenate}};
  return arithmetic(&ExpressionParser::product, kOps);
}

ExprPtr ExpressionParser::product() {
  using Op = Arithmetic::Op;
  static constexpr std::pair<std::string_view, Op> kOps[] = {
      {"*", Op::multiply}, {"/", Op::divide}, {"//", Op::floor_divide}, {"%", Op::modulo}};
  return arithmetic(&ExpressionParser::signed_value, kOps);
}

ExprPtr ExpressionParser::unary(bool with_filters) {
  const Nesting nesting(depth_, kMaxNesting);
  const int line = peek().line;
  Chain chain;
  if (take_op("-")) {
    chain.base = make(line, Unary{Unary::Op::minus, unary(false)});
  } else if (take_op("+")) {
    chain.base = make(line, Unary{Unary::Op::plus, unary(false)});
  } else {
    chain.base = primary();
  }
  while (accessor(chain.suffixes)) {
  }
  while (with_filters) {
    const int suffix_line = peek().line;
    if (take_op("|")) {
      chain.suffixes.push_back({suffix_line, filter()});
    } else if (take_name("is")) {
      chain.suffixes.push_back({suffix_line, test()});
    } else if (!is_op("(") || !accessor(chain.suffixes)) {
      break;
    }
  }
  if (chain.suffixes.empty()) return std::move(chain.base);
  return make(line, std::move(chain));
}

// `.name`, `[index]` or `(arguments)`; false when there is none.
bool ExpressionParser::accessor(std::vector<Suffix>& suffixes) {
  const int line = peek().line;
  if (take_op(".")) {
    if (peek().kind == Kind::integer) {
      suffixes.push_back({line, Subscript{literal()}});
    } else {
      suffixes.push_back({line, Attribute{expect_name()}});
    }
  } else if (take_op("[")) {
    suffixes.push_back(in_brackets());
  } else if (is_op("(")) {
    suffixes.push_back({line, Call{arguments()}});
  } else {
    return false;
  }
  return true;
}

Suffix ExpressionParser::in_brackets() {
  const int line = peek().line;
  ExprPtr bounds[3];
  int colons = 0;
  while (!is_op("]")) {
    if (take_op(":")) {
      if (++colons > 2) refuse("']'");
    } else if (bounds[colons] == nullptr) {
      bounds[colons] = expression();
    } else {
      refuse("':' or ']'");
    }
  }
  take();
  if (colons > 0) return {line, Slice{std::move(bounds[0]), std::move(bounds[1]), std::move(bounds[2])}};
  if (bounds[0] == nullptr) refuse("an index before it");
  return {line, Subscript{std::move(bounds[0])}};
}

Filter ExpressionParser::filter() {
  Filter filter{expect_name(), {}};
  while (take_op(".")) filter.name += '.' + expect_name();
  if (is_op("(")) filter.arguments = arguments();
  return filter;
}

std::vector<Filter> ExpressionParser::filters() {
  std::vector<Filter> filters;
  do filters.push_back(filter());
  while (take_op("|"));
  return filters;
}

// After `is`: `divisibleby(3)` or `divisibleby 3`.
Test ExpressionParser::test() {
  const bool negated = take_name("not");
  Test test{expect_name(), {}, negated};
  const Kind kind = peek().kind;
  const bool operand = kind == Kind::string || kind == Kind::integer || kind == Kind::real || is_op("[") ||
                       is_op("{") ||
                       (kind == Kind::name && !is_name("else") && !is_name("or") && !is_name("and") && !is_name("if") &&
                        !is_name("is") && !is_name("in") && !is_name("not"));
  if (is_op("(")) {
    test.arguments = arguments();
  } else if (operand) {
    const int line = peek().line;
    Chain chain{primary(), {}};
    while (accessor(chain.suffixes)) {
    }
    test.arguments.push_back({"", make(line, std::move(chain))});
  }
  return test;
}

std::vector<Argument> ExpressionParser::arguments() {
  std::vector<Argument> arguments;
  expect_op("(");
  while (!take_op(")")) {
    if (is_op("*") || is_op("**")) throw Error("line {}: arguments with * are not supported", peek().line);
    Argument argument;
    if (peek().kind == Kind::name && peek(1).kind == Kind::op && peek(1).text == "=") {
      argument.name = take().text;
      take();
    } else if (!arguments.empty() && !arguments.back().name.empty()) {
      refuse("an argument with a name");
    }
    argument.value = expression();
    arguments.push_back(std::move(argument));
    if (!is_op(")")) expect_op(",");
  }
  return arguments;
}

ExprPtr ExpressionParser::primary() {
  const Nesting nesting(depth_, kMaxNesting);
  const int line = peek().line;
  if (take_op("(")) return parenthesis();
  if (take_op("[")) return list();
  if (take_op("{")) return dict();
  if (peek().kind != Kind::name) return literal();
  Token token = take();
  if (token.text == "true" || token.text == "True") return make(line, Constant{true});
  if (token.text == "false" || token.text == "False") return make(line, Constant{false});
  if (token.text == "none" || token.text == "None") return make(line, Constant{None{}});
  return make(line, Variable{std::move(token.text)});
}

ExprPtr ExpressionParser::literal() {
  const int line = peek().line;
  if (peek().kind == Kind::string) {
    std::string text;
    while (peek().kind == Kind::string) text += take().text;
    return string_constant(line, text);
  }
  const auto number = [&]<class T>(T value) {
    const std::string text = take().text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) throw Error("line {}: the number {} is too large", line, text.substr(0, 40));
    return make(line, Constant{value});
  };
  if (peek().kind == Kind::integer) return number(int64_t{0});
  if (peek().kind == Kind::real) return number(0.0);
  refuse("an expression");
}

ExprPtr ExpressionParser::parenthesis() {
  const int line = peek().line;
  if (take_op(")")) return make(line, ListOf{{}, true});
  ExprPtr inner = tuple_or_expression();
  expect_op(")");
  return inner;
}

ExprPtr ExpressionParser::list() {
  ListOf list{{}, false};
  const int line = peek().line;
  while (!take_op("]")) {
    list.items.push_back(expression());
    if (!is_op("]")) expect_op(",");
  }
  return make(line, std::move(list));
}

ExprPtr ExpressionParser::dict() {
  DictOf dict;
  const int line = peek().line;
  while (!take_op("}")) {
    ExprPtr key = expression();
    expect_op(":");
    dict.entries.emplace_back(std::move(key), expression());
    if (!is_op("}")) expect_op(",");
  }
  return make(line, std::move(dict));
}

}  // namespace tinyllm::jinja
