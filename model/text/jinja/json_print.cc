#include <tinyllm/model/text/jinja/print.h>
#include <tinyllm/model/text/jinja/printer.h>

#include <algorithm>
#include <cmath>

namespace tinyllm::jinja {
namespace {

class Dump final : public Printer {
 public:
  Dump(Text& out, const JsonStyle& style, Budget& budget) : Printer(out, budget), style_(style) {}

 private:
  std::string scalar(const Value& value) const override {
    if (std::holds_alternative<None>(value)) return "null";
    if (const bool* truth_value = std::get_if<bool>(&value)) return *truth_value ? "true" : "false";
    if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
    if (const auto* real = std::get_if<double>(&value)) {
      if (std::isnan(*real)) return "NaN";
      if (std::isinf(*real)) return *real > 0 ? "Infinity" : "-Infinity";
      return float_text(*real);
    }
    if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("tojson: {}", *missing->why);
    throw Error("tojson: {} is not a value of JSON", type_name(value));
  }

  void list(const List& list) override {
    if (list.kind != List::Kind::list && list.kind != List::Kind::tuple) {
      throw Error("tojson: a generator is not a value of JSON: use the filter list before");
    }
    const Origin origin{list.source};
    if (list.items.empty()) return out_.append("[]", origin);
    out_.append("[", origin);
    ++level_;
    for (size_t i = 0; i < list.items.size(); ++i) {
      separate(i == 0, origin);
      append(list.items[i], origin);
    }
    --level_;
    line(origin);
    out_.append("]", origin);
  }

  void dict(const Dict& dict) override {
    const Origin origin{dict.source};
    if (dict.entries.empty()) return out_.append("{}", origin);
    out_.append("{", origin);
    ++level_;
    bool first = true;
    for (const auto* entry : ordered(dict)) {
      separate(first, origin);
      first = false;
      key(entry->first, origin);
      out_.append(style_.key_separator, origin);
      append(entry->second, origin);
    }
    --level_;
    line(origin);
    out_.append("}", origin);
  }

  std::vector<const std::pair<Value, Value>*> ordered(const Dict& dict) {
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto* a, const auto* b) { return compare(a->first, b->first, budget_) < 0; });
    }
    return entries;
  }

  void key(const Value& key, Origin origin) {
    if (const Text* text = text_in(key)) return string(*text, origin);
    out_.append(fmt::format("\"{}\"", scalar(key)), origin);
  }

  void separate(bool first, Origin origin) {
    if (!first) out_.append(style_.item_separator, origin);
    line(origin);
  }

  void line(Origin origin) {
    if (style_.indent < 0) return;
    out_.append(fmt::format("\n{:{}}", "", style_.indent * level_), origin);
  }

  char quote_of(std::string_view) const override { return '"'; }

  std::string escape(char32_t c, char) const override {
    switch (c) {
      case '"':
        return "\\\"";
      case '\\':
        return "\\\\";
      case '\n':
        return "\\n";
      case '\r':
        return "\\r";
      case '\t':
        return "\\t";
      case '\b':
        return "\\b";
      case '\f':
        return "\\f";
      default:
        break;
    }
    const auto code = static_cast<uint32_t>(c);
    if (code >= 0x20 && (code < 0x7F || !style_.ensure_ascii)) return "";
    if (code == 0x7F) return "";
    if (code < 0x10000) return fmt::format("\\u{:04x}", code);
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF));
  }

  const JsonStyle& style_;
  int level_ = 0;
};

}  // namespace

Value to_json(const Value& value, const JsonStyle& style, Budget& budget) {
  Text text;
  Dump(text, style, budget).append(value, {});
  return make_text(std::move(text), budget);
}

}  // namespace tinyllm::jinja
