#include <tinyllm/model/text/jinja/filters.h>

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/model/text/jinja/methods.h>
#include <tinyllm/model/text/jinja/print.h>
#include <tinyllm/model/text/jinja/text_functions.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tinyllm::jinja {
namespace {

Value run_default(const Value& self, const Bound& arguments, Budget& budget) {
  const bool missing = is_undefined(self) || (arguments.flag(1, false) && !truth(self));
  if (!missing) return self;
  return arguments.get(0) != nullptr ? *arguments.get(0) : make_text("", budget);
}

Value run_tojson(const Value& self, const Bound& arguments, Budget& budget) {
  JsonStyle style;
  style.ensure_ascii = arguments.flag(0, false);
  style.sort_keys = arguments.flag(3, false);
  style.indent = static_cast<int>(std::clamp<int64_t>(arguments.integer(1, -1), -1, 64));
  if (style.indent >= 0) style.item_separator.pop_back();  // Python writes no blank before a line end.
  const Value* separators = arguments.get(2);
  if (separators != nullptr && !std::holds_alternative<None>(*separators)) {
    const List* pair = list_in(*separators);
    if (pair == nullptr || pair->items.size() != 2 || text_in(pair->items[0]) == nullptr ||
        text_in(pair->items[1]) == nullptr) {
      throw Error("tojson: expected two strings as separators");
    }
    style.item_separator = text_in(pair->items[0])->bytes();
    style.key_separator = text_in(pair->items[1])->bytes();
  }
  return to_json(self, style, budget);
}

Value run_length(const Value& self, const Bound&, Budget& budget) { return length(self, budget); }

Value run_string(const Value& self, const Bound&, Budget& budget) { return to_text(self, budget); }

// (key, value) tuples.
Value entries_of(std::string_view filter, const Value& self, Budget& budget) {
  if (dict_in(self) == nullptr) throw Error("{}: found {}, expected a dict", filter, type_name(self));
  const Value view = call_method({self, "items"}, {}, budget);
  return make_list(list_in(view)->items, budget, List::Kind::generator);
}

Value run_safe(const Value& self, const Bound&, Budget&) { return self; }

Value run_list(const Value& self, const Bound&, Budget& budget) {
  const ListPtr items = items_of(self, budget);
  return make_list(items->items, budget, List::Kind::list, items->source);
}

Value run_first(const Value& self, const Bound&, Budget& budget) {
  const ListPtr items = items_of(self, budget);
  return items->items.empty() ? undefined("first: there is no item") : items->items.front();
}

Value run_last(const Value& self, const Bound&, Budget& budget) {
  const ListPtr items = items_of(self, budget);
  return items->items.empty() ? undefined("last: there is no item") : items->items.back();
}

Value run_items(const Value& self, const Bound&, Budget& budget) {
  if (is_undefined(self)) return make_list({}, budget, List::Kind::generator);
  return entries_of("items", self, budget);
}

Value run_join(const Value& self, const Bound& arguments, Budget& budget) {
  const ListPtr items = items_of(self, budget);
  const Value separator = arguments.get(0) != nullptr ? to_text(*arguments.get(0), budget) : make_text("", budget);
  if (arguments.get(1) == nullptr) return join(*items, *text_in(separator), budget);
  List fields;
  for (const Value& item : items->items) fields.items.push_back(path_of(item, *arguments.get(1), budget));
  return join(fields, *text_in(separator), budget);
}

Value run_trim(const Value& self, const Bound& arguments, Budget& budget) {
  const Value text = to_text(self, budget);
  return strip(*text_in(text), arguments.text_or_none(0), true, true, budget);
}

Value run_replace(const Value& self, const Bound& arguments, Budget& budget) {
  const Value text = to_text(self, budget);
  const Value from = to_text(arguments.need(0), budget);
  const Value to = to_text(arguments.need(1), budget);
  return replace(*text_in(text), *text_in(from), *text_in(to), arguments.integer(2, -1), budget);
}

template <Case to>
Value run_case(const Value& self, const Bound&, Budget& budget) {
  return with_case(*text_in(to_text(self, budget)), to, budget);
}

Value run_reverse(const Value& self, const Bound&, Budget& budget) {
  const ListPtr items = items_of(self, budget);
  std::vector<Value> reversed(items->items.rbegin(), items->items.rend());
  const Value list = make_list(std::move(reversed), budget, List::Kind::generator, items->source);
  return text_in(self) == nullptr ? list : join(*list_in(list), Text(), budget);
}

Value run_indent(const Value& self, const Bound& arguments, Budget& budget) {
  const Text* given = arguments.get(0) != nullptr ? text_in(*arguments.get(0)) : nullptr;
  const auto width = given != nullptr ? 0 : static_cast<size_t>(std::clamp<int64_t>(arguments.integer(0, 4), 0, 1000));
  const Text margin = given != nullptr ? *given : Text(std::string(width, ' '));
  const bool first = arguments.flag(1, false);
  const bool blank = arguments.flag(2, false);
  Text text = *text_in(to_text(self, budget));
  text.append("\n");
  const Value lines = lines_of(text, budget);
  Text out;
  bool at_start = true;
  for (const Value& line : list_in(lines)->items) {
    budget.step(1 + margin.runs().size());
    const Text& words = *text_in(line);
    if (!at_start) out.append("\n");
    if (at_start ? first : blank || !words.empty()) out.append(margin);
    out.append(words);
    at_start = false;
  }
  return make_text(std::move(out), budget);
}

Value run_dictsort(const Value& self, const Bound& arguments, Budget& budget) {
  const bool case_sensitive = arguments.flag(0, false);
  const Text* by = arguments.text_or_none(1);
  const bool by_value = by != nullptr && by->bytes() == "value";
  if (by != nullptr && !by_value && by->bytes() != "key") throw Error("dictsort: sorts by 'key' or 'value'");
  Arguments sort{{}, {{"case_sensitive", case_sensitive}, {"attribute", int64_t{by_value}}}};
  sort.named.emplace_back("reverse", arguments.flag(2, false));
  return apply_filter("sort", entries_of("dictsort", self, budget), sort, budget);
}

// The integer that a text begins with, in the syntax of Python's int(): blanks around it, a sign, `_` between digits.
bool read_integer(std::string_view text, int64_t& into) {
  std::string digits;
  for (size_t at = skip_spaces(text); at < text.size(); ++at) {
    if (text[at] != '_') digits += text[at];
  }
  while (!digits.empty() && is_space(static_cast<unsigned char>(digits.back()))) digits.pop_back();
  const char* begin = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, digits.data() + digits.size(), into);
  return error == std::errc() && end == digits.data() + digits.size();
}

Value run_int(const Value& self, const Bound& arguments, Budget& budget) {
  const Value otherwise = arguments.get(0) != nullptr ? *arguments.get(0) : Value(int64_t{0});
  int64_t storage = 0;
  if (const int64_t* integer = integer_in(self, storage)) return *integer;
  const auto* real = std::get_if<double>(&self);
  if (real != nullptr && std::abs(*real) < 9e18) return static_cast<int64_t>(*real);
  const Text* text = text_in(self);
  if (text == nullptr) return otherwise;
  budget.read(text->size());
  if (read_integer(text->bytes(), storage)) return storage;
  double number = 0;
  const std::string_view bytes = text->bytes().substr(skip_spaces(text->bytes()));
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
  const bool whole =
      error == std::errc() && skip_spaces(bytes, static_cast<size_t>(end - bytes.data())) == bytes.size();
  return whole && std::abs(number) < 9e18 ? Value(static_cast<int64_t>(number)) : otherwise;
}

const std::vector<Function>& filters() {
  static const std::vector<Function> table = {
      {"capitalize", {}, run_case<Case::capitalize>},
      {"count", {}, run_length},
      {"d", {"default_value", "boolean"}, run_default},
      {"default", {"default_value", "boolean"}, run_default},
      {"dictsort", {"case_sensitive", "by", "reverse"}, run_dictsort},
      {"first", {}, run_first},
      {"indent", {"width", "first", "blank"}, run_indent},
      {"int", {"default"}, run_int},
      {"items", {}, run_items},
      {"join", {"d", "attribute"}, run_join},
      {"last", {}, run_last},
      {"length", {}, run_length},
      {"list", {}, run_list},
      {"lower", {}, run_case<Case::lower>},
      {"replace", {"old", "new", "count"}, run_replace},
      {"reverse", {}, run_reverse},
      {"safe", {}, run_safe},
      {"string", {}, run_string},
      {"title", {}, run_case<Case::words>},
      {"tojson", {"ensure_ascii", "indent", "separators", "sort_keys"}, run_tojson},
      {"trim", {"chars"}, run_trim},
      {"upper", {}, run_case<Case::upper>},
  };
  return table;
}

}  // namespace

Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  budget.step();
  Value result;
  if (apply_item_filter(name, value, arguments, budget, result)) return result;
  const Function* filter = find_function(filters(), name);
  if (filter == nullptr) throw Error("the filter '{}' is not supported", name);
  return call(*filter, value, arguments, budget);
}

}  // namespace tinyllm::jinja
