#include <tinyllm/train/problems/expression.h>

#include <tinyllm/runtime/reason/calculator.h>

#include <fmt/format.h>

namespace tinyllm::problems {
namespace {

constexpr size_t kMostBytes = 512;
constexpr int kMostDepth = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Rational> value_of(const std::string& text) {
  const Calculated calculated = calculate(text);
  const auto* value = std::get_if<Rational>(&calculated);
  return value != nullptr && value->sign() > 0 ? std::optional(*value) : std::nullopt;
}

class Parser {
 public:
  Parser(std::string text, const std::function<bool(const Rational&)>& is_number)
      : text_(std::move(text)), is_number_(is_number) {}

  std::optional<std::vector<Node>> run() {
    if (!sum(0) || at_ != text_.size()) return {};
    return std::move(nodes_);
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // Each of these appends nodes, of which the last is the whole of what it read; or is false.
  bool sum(int depth) {
    return chain("+-", [&] { return product(depth); });
  }
  bool product(int depth) {
    return chain("*/", [&] { return primary(depth); });
  }

  bool chain(std::string_view signs, const std::function<bool()>& part) {
    if (!part()) return false;
    while (next() != '\0' && signs.find(next()) != std::string_view::npos) {
      const char sign = text_[at_++];
      const size_t left = nodes_.size() - 1;
      if (!part()) return false;
      nodes_.push_back({.sign = sign, .left = left, .right = nodes_.size() - 1});
    }
    return true;
  }

  bool primary(int depth) {
    if (next() != '(') return number();
    if (depth >= kMostDepth) return false;
    if (fraction()) return !is_digit(next()) && next() != '(';
    ++at_;
    if (!sum(depth + 1) || next() != ')') return false;
    ++at_;
    return next() != '(' && !is_digit(next());
  }

  // (3/4) as one number.
  bool fraction() {
    size_t end = at_ + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == at_ + 1 || end >= text_.size() || text_[end] != '/') return false;
    const size_t below = ++end;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == below || end >= text_.size() || text_[end] != ')') return false;
    const std::string text = text_.substr(at_ + 1, end - at_ - 1);
    const std::optional<Rational> value = value_of(text);
    if (!value || !is_number_ || !is_number_(*value)) return false;
    nodes_.push_back({.text = "(" + text + ")", .value = *value});
    at_ = end + 1;
    return true;
  }

  bool number() {
    const size_t begin = at_;
    while (is_digit(next()) || next() == '.') ++at_;
    if (next() == '%') ++at_;
    const std::string text = text_.substr(begin, at_ - begin);
    const std::optional<Rational> value = value_of(text);
    if (!value || next() == '(' || next() == '%') return false;
    nodes_.push_back({.text = text, .value = *value});
    return true;
  }

  std::string text_;
  const std::function<bool(const Rational&)>& is_number_;
  std::vector<Node> nodes_ = {};
  size_t at_ = 0;
};

int rank(const Node& node) { return node.sign == 0 ? 2 : node.sign == '*' || node.sign == '/' ? 1 : 0; }

}  // namespace

std::optional<std::vector<Node>> parse_expression(std::string_view text,
                                                  const std::function<bool(const Rational&)>& is_number) {
  if (text.size() > kMostBytes) return {};
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("×") || rest.starts_with("÷")) {
      plain += rest.starts_with("×") ? '*' : '/';
      ++i;
    } else if (text[i] == '[' || text[i] == ']') {
      plain += text[i] == '[' ? '(' : ')';
    } else if (text[i] != ' ' && text[i] != ',') {
      plain += text[i];
    }
  }
  std::optional<std::vector<Node>> nodes = Parser(plain, is_number).run();
  return nodes && compute(*nodes) ? nodes : std::nullopt;
}

bool compute(std::vector<Node>& nodes) {
  Arithmetic arithmetic;
  for (Node& node : nodes) {
    if (node.sign == 0) continue;
    const Rational &a = nodes[node.left].value, &b = nodes[node.right].value;
    node.value = node.sign == '+'   ? arithmetic.sum(a, b)
                 : node.sign == '-' ? arithmetic.difference(a, b)
                 : node.sign == '*' ? arithmetic.product(a, b)
                                    : arithmetic.quotient(a, b);
    if (arithmetic.error() || node.value.sign() <= 0) return false;
  }
  return true;
}

std::string operand(const Rational& value) {
  constexpr int kPlaces = 4;
  if (const std::optional<std::string> decimal = value.decimal(kPlaces)) return *decimal;
  return fmt::format("({})", value.str());
}

std::string written(const std::vector<Node>& nodes, size_t at) {
  const Node& node = nodes[at];
  if (node.sign == 0) return node.text;
  const auto side = [&](size_t child, bool needs) {
    const std::string text = written(nodes, child);
    return needs ? "(" + text + ")" : text;
  };
  const int own = rank(node), left = rank(nodes[node.left]), right = rank(nodes[node.right]);
  const bool order_matters = node.sign == '-' || node.sign == '/';
  return side(node.left, left < own) + node.sign + side(node.right, right < own || (right == own && order_matters));
}

}  // namespace tinyllm::problems
