#pragma once

#include <tinyllm/model/text/jinja/ast.h>
#include <tinyllm/model/text/jinja/lexer.h>

#include <span>

namespace tinyllm::jinja {

/// Reads expressions from tokens. The grammar is Jinja's: `not` binds looser than comparisons, `~` tighter than `+`,
/// filters and tests tightest.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  /// One expression, or a tuple of several with commas between them.
  ExprPtr tuple_or_expression(bool with_conditional = true);
  ExprPtr expression(bool with_conditional = true);
  /// `name(arguments)|name...`: the filters of a block.
  std::vector<Filter> filters();

  const Token& peek(size_t ahead = 0) const;
  Token take();
  bool is_op(std::string_view op) const { return peek().kind == Token::Kind::op && peek().text == op; }
  bool is_name(std::string_view name) const { return peek().kind == Token::Kind::name && peek().text == name; }
  bool take_op(std::string_view op);
  bool take_name(std::string_view name);
  void expect_op(std::string_view op);
  std::string expect_name();
  [[noreturn]] void refuse(std::string_view expected) const;
  int& depth() { return depth_; }

 private:
  using Operators = std::span<const std::pair<std::string_view, Arithmetic::Op>>;

  ExprPtr or_();
  ExprPtr and_();
  ExprPtr not_();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr arithmetic(ExprPtr (ExpressionParser::*operand)(), Operators operators);
  ExprPtr signed_value() { return unary(true); }
  ExprPtr unary(bool with_filters);
  ExprPtr primary();
  ExprPtr literal();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr parenthesis();
  bool ends_tuple() const;
  bool accessor(std::vector<Suffix>& suffixes);
  Suffix in_brackets();
  Filter filter();
  Test test();
  std::vector<Argument> arguments();

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace tinyllm::jinja
