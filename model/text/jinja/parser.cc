#include <tinyllm/model/text/jinja/parser.h>

#include <tinyllm/model/text/jinja/expression_parser.h>

#include <initializer_list>
#include <span>

namespace tinyllm::jinja {
namespace {

using Kind = Token::Kind;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : in_(std::move(tokens)) {}

  Program run() {
    Block all = block({});
    return {std::move(all), has_generation_};
  }

 private:
  // Parses statements up to a tag with one of these names; its `{%` is consumed, its name is not. Without names: up to
  // the end.
  Block block(std::initializer_list<std::string_view> ends) {
    const Nesting nesting(in_.depth(), kMaxNesting);
    Block block;
    for (;;) {
      const Token token = in_.take();
      if (token.kind == Kind::data) {
        block.push_back({token.line, Data{std::make_shared<const Text>(token.text)}});
      } else if (token.kind == Kind::output_begin) {
        block.push_back({token.line, Output{in_.tuple_or_expression()}});
        end_of(Kind::output_end);
      } else if (token.kind == Kind::tag_begin) {
        for (const std::string_view end : ends) {
          if (in_.is_name(end)) return block;
        }
        statement(block, token.line);
      } else if (ends.size() == 0) {
        return block;
      } else {
        throw Error("line {}: the template ends, expected {}", token.line, *(ends.end() - 1));
      }
    }
  }

  void end_of(Kind kind) {
    if (in_.peek().kind != kind) in_.refuse("the end of the tag");
    in_.take();
  }

  // Parses a block with its `end` tag.
  Block body(std::string_view end) {
    end_of(Kind::tag_end);
    Block body = block({end});
    in_.take();
    end_of(Kind::tag_end);
    return body;
  }

  void statement(Block& block, int line) {
    const std::string name = in_.expect_name();
    const auto add = [&](auto what) { block.push_back({line, std::move(what)}); };
    if (name == "if") return add(if_());
    if (name == "for") return add(for_());
    if (name == "set") return set(block, line);
    if (name == "macro") return add(macro(line));
    if (name == "filter") {
      FilterBlock filter{in_.filters(), {}};
      filter.body = body("endfilter");
      return add(std::move(filter));
    }
    if (name == "generation") {
      has_generation_ = true;
      return add(Generation{outside_of_loops("endgeneration")});
    }
    if (name != "break" && name != "continue") throw Error("line {}: the tag '{}' is not supported", line, name);
    if (loops_ == 0) throw Error("line {}: '{}' is outside of a loop", line, name);
    end_of(Kind::tag_end);
    if (name == "break") return add(Break{});
    add(Continue{});
  }

  If if_() {
    If result;
    do {
      Branch branch{in_.expression(), {}};
      end_of(Kind::tag_end);
      branch.body = block({"elif", "else", "endif"});
      result.branches.push_back(std::move(branch));
    } while (in_.take_name("elif"));
    if (in_.take_name("else")) {
      result.otherwise = body("endif");
    } else {
      in_.take();
      end_of(Kind::tag_end);
    }
    return result;
  }

  For for_() {
    For loop;
    loop.target = names();
    if (!in_.take_name("in")) in_.refuse("'in'");
    loop.iterable = in_.tuple_or_expression(false);
    if (in_.take_name("if")) loop.condition = in_.expression();
    if (in_.is_name("recursive")) throw Error("line {}: recursive loops are not supported", in_.peek().line);
    end_of(Kind::tag_end);
    ++loops_;
    loop.body = block({"else", "endfor"});
    --loops_;
    if (in_.take_name("else")) {
      loop.otherwise = body("endfor");
    } else {
      in_.take();
      end_of(Kind::tag_end);
    }
    return loop;
  }

  Target names() {
    Target target;
    const bool parenthesis = in_.take_op("(");
    do target.names.push_back(in_.expect_name());
    while (in_.take_op(","));
    if (parenthesis) in_.expect_op(")");
    return target;
  }

  void set(Block& block, int line) {
    Target target = names();
    if (target.names.size() == 1 && in_.take_op(".")) target.field = in_.expect_name();
    if (in_.take_op("=")) {
      block.push_back({line, Set{std::move(target), in_.tuple_or_expression()}});
      return end_of(Kind::tag_end);
    }
    SetBlock result{std::move(target), {}, {}};
    if (in_.take_op("|")) result.filters = in_.filters();
    result.body = body("endset");
    block.push_back({line, std::move(result)});
  }

  Macro macro(int line) {
    Macro macro;
    macro.name = in_.expect_name();
    in_.expect_op("(");
    while (!in_.take_op(")")) {
      macro.parameters.push_back({in_.expect_name(), in_.take_op("=") ? in_.expression() : nullptr});
      if (!in_.is_op(")")) in_.expect_op(",");
    }
    // A macro looks up outer variables when it runs. After the loop, the loop's variables would be gone.
    if (loops_ > 0) throw Error("line {}: a macro within a loop is not supported", line);
    macro.body = body("endmacro");
    return macro;
  }

  // Parses a body that `break` cannot leave, since Jinja compiles it to a function of its own.
  Block outside_of_loops(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Block result = body(end);
    loops_ = loops;
    return result;
  }

  ExpressionParser in_;
  int loops_ = 0;  // How many loops enclose the current position.
  bool has_generation_ = false;
};

}  // namespace

Program parse(std::string_view source) { return Parser(tokenize(source)).run(); }

}  // namespace tinyllm::jinja
