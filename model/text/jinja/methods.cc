#include <tinyllm/model/text/jinja/methods.h>

#include <tinyllm/model/text/jinja/print.h>
#include <tinyllm/model/text/jinja/text_functions.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

const Text& self_text(const Value& self) { return *text_in(self); }

template <bool left, bool right>
Value run_strip(const Value& self, const Bound& arguments, Budget& budget) {
  return strip(self_text(self), arguments.text_or_none(0), left, right, budget);
}

template <Case to>
Value run_case(const Value& self, const Bound&, Budget& budget) {
  return with_case(self_text(self), to, budget);
}

Value run_split(const Value& self, const Bound& arguments, Budget& budget) {
  const int64_t limit = arguments.integer(1, -1);
  const Text* separator = arguments.text_or_none(0);
  if (separator == nullptr) return split_at_spaces(self_text(self), limit, budget);
  return split(self_text(self), *separator, limit, budget);
}

Value run_replace(const Value& self, const Bound& arguments, Budget& budget) {
  return replace(self_text(self), arguments.text(0), arguments.text(1), arguments.integer(2, -1), budget);
}

// The argument of startswith is a text, or a tuple of texts.
template <bool at_start>
Value run_has_affix(const Value& self, const Bound& arguments, Budget& budget) {
  const std::string_view bytes = self_text(self).bytes();
  const auto has = [&](std::string_view affix) {
    budget.read(affix.size());
    return at_start ? bytes.starts_with(affix) : bytes.ends_with(affix);
  };
  const List* affixes = list_in(arguments.need(0));
  if (affixes == nullptr || affixes->kind != List::Kind::tuple) return has(arguments.text(0).bytes());
  return std::any_of(affixes->items.begin(), affixes->items.end(), [&](const Value& affix) {
    if (text_in(affix) == nullptr) throw Error("startswith, endswith: found {}, expected a string", type_name(affix));
    return has(text_in(affix)->bytes());
  });
}

Value run_join(const Value& self, const Bound& arguments, Budget& budget) {
  const ListPtr items = items_of(arguments.need(0), budget);
  for (const Value& item : items->items) {
    if (text_in(item) == nullptr) throw Error("join: found {}, expected strings", type_name(item));
  }
  return join(*items, self_text(self), budget);
}

Value run_splitlines(const Value& self, const Bound&, Budget& budget) { return lines_of(self_text(self), budget); }

Value run_get(const Value& self, const Bound& arguments, Budget& budget) {
  const Value* found = find(*dict_in(self), arguments.need(0), budget);
  if (found != nullptr) return *found;
  return arguments.get(1) != nullptr ? *arguments.get(1) : Value(None{});
}

Value run_items(const Value& self, const Bound&, Budget& budget) {
  std::vector<Value> items;
  for (const auto& [key, value] : dict_in(self)->entries) {
    items.push_back(make_list({key, value}, budget, List::Kind::tuple, dict_in(self)->source));
  }
  return make_list(std::move(items), budget, List::Kind::view);
}

template <bool keys>
Value run_part(const Value& self, const Bound&, Budget& budget) {
  std::vector<Value> parts;
  for (const auto& [key, value] : dict_in(self)->entries) parts.push_back(keys ? key : value);
  return make_list(std::move(parts), budget, List::Kind::view);
}

const std::vector<Function>& text_methods() {
  static const std::vector<Function> table = {
      {"capitalize", {}, run_case<Case::capitalize>},
      {"endswith", {"suffix"}, run_has_affix<false>},
      {"join", {"iterable"}, run_join},
      {"lower", {}, run_case<Case::lower>},
      {"lstrip", {"chars"}, run_strip<true, false>},
      {"replace", {"old", "new", "count"}, run_replace},
      {"rstrip", {"chars"}, run_strip<false, true>},
      {"split", {"sep", "maxsplit"}, run_split},
      {"splitlines", {}, run_splitlines},
      {"startswith", {"prefix"}, run_has_affix<true>},
      {"strip", {"chars"}, run_strip<true, true>},
      {"title", {}, run_case<Case::title>},
      {"upper", {}, run_case<Case::upper>},
  };
  return table;
}

const std::vector<Function>& dict_methods() {
  static const std::vector<Function> table = {
      {"get", {"key", "default"}, run_get},
      {"items", {}, run_items},
      {"keys", {}, run_part<true>},
      {"values", {}, run_part<false>},
  };
  return table;
}

// `'{} of {}'.format(a, b)`: a field is empty, a number or a name. Formats such as `{:>3}` are not supported.
Value format(const Text& pattern, const Arguments& arguments, Budget& budget) {
  Text out;
  size_t automatic = 0;
  const auto argument = [&](std::string_view field) -> const Value& {
    const bool number = std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && field.size() < 5) {
      const size_t index = field.empty() ? automatic++ : std::stoul(std::string(field));
      if (index < arguments.values.size()) return arguments.values[index];
    }
    for (const auto& [name, value] : arguments.named) {
      if (name == field) return value;
    }
    throw Error("format: no argument for the field '{{{}}}'; format specifications are not supported", field);
  };
  const std::string_view bytes = pattern.bytes();
  for (size_t at = 0; at < bytes.size();) {
    const size_t brace = std::min(bytes.find_first_of("{}", at), bytes.size());
    out.append(pattern, at, brace);
    at = brace;
    if (at == bytes.size()) break;
    if (at + 1 < bytes.size() && bytes[at + 1] == bytes[at]) {
      out.append(pattern, at, at + 1);
      at += 2;
      continue;
    }
    const size_t end = bytes[at] == '{' ? bytes.find('}', at) : std::string_view::npos;
    if (end == std::string_view::npos) throw Error("format: a brace without its partner; double it to print it");
    const Value printed = to_text(argument(bytes.substr(at + 1, end - at - 1)), budget);
    budget.read(text_in(printed)->size());
    out.append(*text_in(printed));
    at = end + 1;
  }
  return make_text(std::move(out), budget);
}

}  // namespace

bool is_method(const Value& self, std::string_view name) {
  if (text_in(self) != nullptr) return name == "format" || find_function(text_methods(), name) != nullptr;
  return dict_in(self) != nullptr && find_function(dict_methods(), name) != nullptr;
}

Value call_method(const Method& method, const Arguments& arguments, Budget& budget) {
  const Text* text = text_in(method.self);
  if (text != nullptr && method.name == "format") return format(*text, arguments, budget);
  const auto& table = text != nullptr ? text_methods() : dict_methods();
  return call(*find_function(table, method.name), method.self, arguments, budget);
}

}  // namespace tinyllm::jinja
