#include <tinyllm/model/text/jinja/print.h>

#include <tinyllm/model/text/jinja/characters.h>

#include <charconv>
#include <cmath>

namespace tinyllm::jinja {
namespace {

// Appends values to a text as repr() prints them. Brackets and commas have the origin of their list or dict.
class Representation {
 public:
  Representation(Text& out, Budget& budget) : out_(out), budget_(budget) {}

  void append(const Value& value, Origin origin) {
    budget_.step();
    if (const Text* text = text_in(value)) {
      string(*text, origin);
    } else if (const List* list = list_in(value)) {
      this->list(*list);
    } else if (const Dict* dict = dict_in(value)) {
      this->dict(*dict);
    } else {
      out_.append(plain(value), origin);
    }
  }

  static std::string plain(const Value& value) {
    if (is_undefined(value)) return "";
    if (std::holds_alternative<None>(value)) return "None";
    if (const bool* truth_value = std::get_if<bool>(&value)) return *truth_value ? "True" : "False";
    if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
    if (const auto* real = std::get_if<double>(&value)) return float_text(*real);
    throw Error("{} cannot be printed", type_name(value));
  }

 private:
  void list(const List& list) {
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

  void dict(const Dict& dict) {
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

  void string(const Text& text, Origin origin) {
    budget_.read(text.size());
    const std::string_view bytes = text.bytes();
    const bool double_quotes = bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
    const char quote = double_quotes ? '"' : '\'';
    out_.append({&quote, 1}, origin);
    for (size_t at = 0; at < bytes.size();) {
      const size_t begin = at;
      const char32_t c = next_character(bytes, at);
      const std::string escaped = escape(c, quote);
      out_.append(escaped.empty() ? bytes.substr(begin, at - begin) : escaped, text.origin_at(begin));
    }
    out_.append({&quote, 1}, origin);
  }

  // Empty if the character needs no escape.
  static std::string escape(char32_t c, char quote) {
    if (c == '\\' || c == static_cast<char32_t>(quote)) return std::string{'\\', static_cast<char>(c)};
    if (c == '\n') return "\\n";
    if (c == '\r') return "\\r";
    if (c == '\t') return "\\t";
    if (!is_escaped(c)) return "";
    const auto code = static_cast<uint32_t>(c);
    if (code < 0x100) return fmt::format("\\x{:02x}", code);
    return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
  }

  Text& out_;
  Budget& budget_;
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
