#include <tinyllm/model/text/jinja/print.h>

#include <tinyllm/model/text/jinja/printer.h>

#include <charconv>
#include <cmath>

namespace tinyllm::jinja {
namespace {

// repr().
class Representation final : public Printer {
 public:
  Representation(Text& out, Budget& budget) : Printer(out, budget) {}

 private:
  std::string scalar(const Value& value) const override {
    if (is_undefined(value)) return "";
    if (std::holds_alternative<None>(value)) return "None";
    if (const bool* truth_value = std::get_if<bool>(&value)) return *truth_value ? "True" : "False";
    if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
    if (const auto* real = std::get_if<double>(&value)) return float_text(*real);
    throw Error("{} cannot be printed", type_name(value));
  }

  void list(const List& list) override {
    const bool tuple = list.kind == List::Kind::tuple;
    if (!tuple && list.kind != List::Kind::list)
      throw Error("a generator cannot be printed: use the filter list before");
    const Origin origin{list.source};
    out_.append(tuple ? "(" : "[", origin);
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_.append(", ", origin);
      append(list.items[i], origin);
    }
    if (tuple && list.items.size() == 1) out_.append(",", origin);
    out_.append(tuple ? ")" : "]", origin);
  }

  void dict(const Dict& dict) override {
    const Origin origin{dict.source};
    out_.append("{", origin);
    for (size_t i = 0; i < dict.entries.size(); ++i) {
      if (i > 0) out_.append(", ", origin);
      append(dict.entries[i].first, origin);
      out_.append(": ", origin);
      append(dict.entries[i].second, origin);
    }
    out_.append("}", origin);
  }

  char quote_of(std::string_view text) const override {
    const bool needs_double = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    return needs_double ? '"' : '\'';
  }

  std::string escape(char32_t c, char quote) const override {
    if (c == '\\' || c == static_cast<char32_t>(quote)) return std::string{'\\', static_cast<char>(c)};
    if (c == '\n') return "\\n";
    if (c == '\r') return "\\r";
    if (c == '\t') return "\\t";
    if (!is_escaped(c)) return "";
    const auto code = static_cast<uint32_t>(c);
    if (code < 0x100) return fmt::format("\\x{:02x}", code);
    return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
  }
};

}  // namespace

Value to_text(const Value& value, Budget& budget) {
  if (std::holds_alternative<TextPtr>(value)) return value;
  Text text;
  Representation(text, budget).append(value, {});
  return make_text(std::move(text), budget);
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  // Python uses an exponent if the number would otherwise need many zeros.
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr;
  std::string digits(buffer, fixed);
  return digits.find('.') == std::string::npos ? digits + ".0" : digits;
}

}  // namespace tinyllm::jinja
