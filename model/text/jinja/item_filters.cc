// Filters over the items of a value. Their arguments may name a field, a test or another filter.
#include <tinyllm/model/text/jinja/filters.h>
#include <tinyllm/model/text/jinja/text_functions.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

// The arguments after the first `taken` ones.
Arguments rest_of(const Arguments& arguments, size_t taken) {
  Arguments rest{{}, arguments.named};
  for (size_t i = taken; i < arguments.values.size(); ++i) rest.values.push_back(arguments.values[i]);
  return rest;
}

std::string_view name_at(std::string_view filter, const Arguments& arguments, size_t index, std::string_view what) {
  const Text* name = index < arguments.values.size() ? text_in(arguments.values[index]) : nullptr;
  if (name == nullptr) throw Error("{}: expected the name of a {}", filter, what);
  return name->bytes();
}

// select, reject: items for which a test holds. selectattr, rejectattr: items with a field for which it holds.
Value run_select(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  const bool wanted = name.starts_with("select");
  const bool by_field = name.ends_with("attr");
  const size_t at = by_field ? 1 : 0;  // The argument that names the test.
  if (by_field && arguments.values.empty()) throw Error("{}: expected the name of a field", name);
  const bool has_test = arguments.values.size() > at;
  const Arguments rest = rest_of(arguments, at + 1);
  std::vector<Value> selected;
  const ListPtr items = items_of(value, budget);
  for (const Value& item : items->items) {
    budget.step();
    const Value tested = by_field ? path_of(item, arguments.values[0], budget) : item;
    const bool holds =
        has_test ? apply_test(name_at(name, arguments, at, "test"), tested, rest, budget) : truth(tested);
    if (holds == wanted) selected.push_back(item);
  }
  return make_list(std::move(selected), budget, List::Kind::generator);
}

Value run_map(const Value& value, const Arguments& arguments, Budget& budget) {
  std::vector<Value> mapped;
  const ListPtr items = items_of(value, budget);
  if (!arguments.values.empty()) {
    const std::string_view filter = name_at("map", arguments, 0, "filter");
    const Arguments rest = rest_of(arguments, 1);
    for (const Value& item : items->items) mapped.push_back(apply_filter(filter, item, rest, budget));
  } else {
    static constexpr std::string_view kParameters[] = {"attribute", "default"};
    const Bound bound("map", kParameters, arguments);
    for (const Value& item : items->items) {
      Value field = path_of(item, bound.need(0), budget);
      if (is_undefined(field) && bound.get(1) != nullptr) field = *bound.get(1);
      mapped.push_back(std::move(field));
    }
  }
  return make_list(std::move(mapped), budget, List::Kind::generator);
}

// The sort key of an item: the item or a field of it, in lower case unless case matters.
std::vector<std::pair<Value, Value>> keyed(const Value& value, const Value* path, bool case_sensitive, Budget& budget) {
  const ListPtr list = items_of(value, budget);
  std::vector<std::pair<Value, Value>> items;
  for (const Value& item : list->items) {
    budget.step();
    Value key = path != nullptr && !std::holds_alternative<None>(*path) ? path_of(item, *path, budget) : item;
    if (text_in(key) != nullptr && !case_sensitive) key = with_case(*text_in(key), Case::lower, budget);
    items.emplace_back(std::move(key), item);
  }
  return items;
}

Value run_sort(const Value& value, const Arguments& arguments, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"reverse", "case_sensitive", "attribute"};
  const Bound bound("sort", kParameters, arguments);
  auto items = keyed(value, bound.get(2), bound.flag(1, false), budget);
  const bool reverse = bound.flag(0, false);
  std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
    return reverse ? compare(b.first, a.first, budget) < 0 : compare(a.first, b.first, budget) < 0;
  });
  std::vector<Value> sorted;
  for (auto& item : items) sorted.push_back(std::move(item.second));
  return make_list(std::move(sorted), budget);
}

Value run_unique(const Value& value, const Arguments& arguments, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"case_sensitive", "attribute"};
  const Bound bound("unique", kParameters, arguments);
  std::vector<Value> seen;
  std::vector<Value> unique;
  for (const auto& item : keyed(value, bound.get(1), bound.flag(0, false), budget)) {
    const auto is_key = [&](const Value& other) { return equal(other, item.first, budget); };
    if (std::any_of(seen.begin(), seen.end(), is_key)) continue;
    seen.push_back(item.first);
    unique.push_back(item.second);
  }
  return make_list(std::move(unique), budget, List::Kind::generator);
}

Value run_extreme(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  static constexpr std::string_view kParameters[] = {"case_sensitive", "attribute"};
  const Bound bound(name, kParameters, arguments);
  const auto items = keyed(value, bound.get(1), bound.flag(0, false), budget);
  if (items.empty()) return undefined(fmt::format("{}: there is no item", name));
  const std::pair<Value, Value>* best = &items.front();
  for (const auto& item : items) {
    const auto order = compare(item.first, best->first, budget);
    if (name == "min" ? order < 0 : order > 0) best = &item;
  }
  return best->second;
}

}  // namespace

Value path_of(const Value& value, const Value& path, Budget& budget) {
  const Text* text = text_in(path);
  if (text == nullptr) return subscript(value, path, budget);
  Value field = value;
  for (std::string_view rest = text->bytes();;) {
    const size_t dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    const bool number = !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == name.npos;
    field = subscript(field, number ? Value(int64_t{std::stoll(std::string(name))}) : make_text(name, budget), budget);
    if (dot == std::string_view::npos) return field;
    rest.remove_prefix(dot + 1);
  }
}

bool apply_item_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget,
                       Value& result) {
  if (name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr") {
    result = run_select(name, value, arguments, budget);
  } else if (name == "map") {
    result = run_map(value, arguments, budget);
  } else if (name == "sort") {
    result = run_sort(value, arguments, budget);
  } else if (name == "unique") {
    result = run_unique(value, arguments, budget);
  } else if (name == "min" || name == "max") {
    result = run_extreme(name, value, arguments, budget);
  } else {
    return false;
  }
  return true;
}

}  // namespace tinyllm::jinja
