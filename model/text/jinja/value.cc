#include <tinyllm/model/text/jinja/value.h>

#include <tinyllm/model/text/jinja/methods.h>

#include <algorithm>
#include <cmath>

#include <string.h>  // NOLINT: memmem is not in <cstring>

namespace tinyllm::jinja {
namespace {

int depth_of(const Value& value) {
  if (const List* list = list_in(value)) return list->depth;
  if (const Dict* dict = dict_in(value)) return dict->depth;
  if (const auto* method = std::get_if<std::shared_ptr<const Method>>(&value)) return depth_of((*method)->self);
  return 0;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  int64_t a_int = 0;
  int64_t b_int = 0;
  const int64_t* x = integer_in(a, a_int);
  const int64_t* y = integer_in(b, b_int);
  if (x != nullptr && y != nullptr) return *x <=> *y;
  const double left = x != nullptr ? static_cast<double>(*x) : std::get<double>(a);
  const double right = y != nullptr ? static_cast<double>(*y) : std::get<double>(b);
  return left <=> right;
}

bool is_number(const Value& value) {
  return std::holds_alternative<bool>(value) || std::holds_alternative<int64_t>(value) ||
         std::holds_alternative<double>(value);
}

Value loop_attribute(const Loop& loop, std::string_view name) {
  const auto index = static_cast<int64_t>(loop.index);
  const auto size = static_cast<int64_t>(loop.list->items.size());
  if (name == "index0") return index;
  if (name == "index") return index + 1;
  if (name == "revindex0") return size - index - 1;
  if (name == "revindex") return size - index;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == size;
  if (name == "length") return size;
  if (name == "depth") return int64_t{1};  // Always 1, as recursive loops are not supported.
  if (name == "depth0") return int64_t{0};
  if (name == "previtem" && index > 0) return loop.list->items[loop.index - 1];
  if (name == "nextitem" && index + 1 < size) return loop.list->items[loop.index + 1];
  return undefined(fmt::format("loop has no '{}' here", name));
}

bool equal_dicts(const Dict& a, const Dict& b, Budget& budget) {
  if (a.entries.size() != b.entries.size()) return false;
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
    const Value* other = find(b, entry.first, budget);
    return other != nullptr && equal(entry.second, *other, budget);
  });
}

}  // namespace

int depth_above(const Value& value) {
  // A namespace can change, so it could end up containing itself.
  if (std::holds_alternative<Namespace*>(value)) throw Error("a namespace cannot be in a list, a dict or a namespace");
  const int depth = depth_of(value) + 1;
  if (depth > kMaxValueDepth) throw Error("makes a value that nests deeper than {} levels", kMaxValueDepth);
  return depth;
}

Value make_text(Text text, Budget& budget) {
  budget.made(text);
  return std::make_shared<const Text>(std::move(text));
}

Value make_text(std::string_view bytes, Budget& budget) { return make_text(Text(bytes), budget); }

Value make_list(std::vector<Value> items, Budget& budget, List::Kind kind, int32_t source) {
  budget.step(4 + items.size());
  int depth = 1;
  for (const Value& item : items) depth = std::max(depth, depth_above(item));
  return std::make_shared<const List>(List{std::move(items), kind, source, depth});
}

Value make_dict(std::vector<std::pair<Value, Value>> entries, Budget& budget, int32_t source) {
  budget.step(4 + 2 * entries.size());
  int depth = 1;
  for (const auto& [key, value] : entries) depth = std::max(depth, depth_above(value));
  return std::make_shared<const Dict>(Dict{std::move(entries), source, depth});
}

Value undefined(std::string why) { return Undefined{std::make_shared<const std::string>(std::move(why))}; }

const Text* text_in(const Value& value) {
  const TextPtr* text = std::get_if<TextPtr>(&value);
  return text != nullptr ? text->get() : nullptr;
}

const List* list_in(const Value& value) {
  const ListPtr* list = std::get_if<ListPtr>(&value);
  return list != nullptr ? list->get() : nullptr;
}

const Dict* dict_in(const Value& value) {
  const DictPtr* dict = std::get_if<DictPtr>(&value);
  return dict != nullptr ? dict->get() : nullptr;
}

bool is_undefined(const Value& value) { return std::holds_alternative<Undefined>(value); }

const int64_t* integer_in(const Value& value, int64_t& storage) {
  if (const bool* truth_value = std::get_if<bool>(&value)) {
    storage = *truth_value ? 1 : 0;
    return &storage;
  }
  return std::get_if<int64_t>(&value);
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view kNames[] = {"undefined", "None",    "a bool",    "an integer", "a float",
                                                "a string",  "a list",  "a dict",    "a method",   "a namespace",
                                                "a loop",    "a macro", "a function"};
  static_assert(std::size(kNames) == std::variant_size_v<Value>);
  return kNames[value.index()];
}

bool truth(const Value& value) {
  if (is_undefined(value) || std::holds_alternative<None>(value)) return false;
  if (const bool* truth_value = std::get_if<bool>(&value)) return *truth_value;
  if (const auto* integer = std::get_if<int64_t>(&value)) return *integer != 0;
  if (const auto* real = std::get_if<double>(&value)) return *real != 0;
  if (const Text* text = text_in(value)) return !text->empty();
  if (const List* list = list_in(value)) return list->kind == List::Kind::generator || !list->items.empty();
  if (const Dict* dict = dict_in(value)) return !dict->entries.empty();
  return true;
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b) == 0;
  if (a.index() != b.index()) return false;
  if (const Text* text = text_in(a)) {
    budget.read(text->size());
    return text->bytes() == text_in(b)->bytes();
  }
  if (const List* list = list_in(a)) {
    const List* other = list_in(b);
    return list == other ||
           (list->kind == other->kind &&
            std::equal(list->items.begin(), list->items.end(), other->items.begin(), other->items.end(),
                       [&](const Value& x, const Value& y) { return equal(x, y, budget); }));
  }
  if (const Dict* dict = dict_in(a)) return dict == dict_in(b) || equal_dicts(*dict, *dict_in(b), budget);
  if (const auto* space = std::get_if<Namespace*>(&a)) return *space == std::get<Namespace*>(b);
  return is_undefined(a) || std::holds_alternative<None>(a);
}

std::partial_ordering compare(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b);
  if (const Text* text = text_in(a)) {
    if (const Text* other = text_in(b)) {
      budget.read(std::min(text->size(), other->size()));
      return text->bytes() <=> other->bytes();
    }
  }
  if (const List* list = list_in(a)) {
    const List* other = list_in(b);
    if (other != nullptr && list->kind == other->kind) {
      const size_t common = std::min(list->items.size(), other->items.size());
      for (size_t i = 0; i < common; ++i) {
        if (!equal(list->items[i], other->items[i], budget)) return compare(list->items[i], other->items[i], budget);
      }
      return list->items.size() <=> other->items.size();
    }
  }
  for (const Value* side : {&a, &b}) {
    if (const auto* missing = std::get_if<Undefined>(side)) throw Error("{}", *missing->why);
  }
  throw Error("{} and {} have no order", type_name(a), type_name(b));
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (const Text* text = text_in(container)) {
    const Text* part = text_in(item);
    if (part == nullptr) throw Error("`in` a string needs a string, found {}", type_name(item));
    budget.read(text->size());
    return memmem(text->bytes().data(), text->size(), part->bytes().data(), part->size()) != nullptr;
  }
  if (const Dict* dict = dict_in(container)) return find(*dict, item, budget) != nullptr;
  const ListPtr items = items_of(container, budget);
  return std::any_of(items->items.begin(), items->items.end(),
                     [&](const Value& other) { return equal(other, item, budget); });
}

const Value* find(const Dict& dict, const Value& key, Budget& budget) {
  if (const Text* text = text_in(key)) return find(dict, text->bytes(), budget);
  if (list_in(key) != nullptr || dict_in(key) != nullptr) throw Error("{} cannot be a key", type_name(key));
  for (const auto& [other, value] : dict.entries) {
    if (equal(other, key, budget)) return &value;
  }
  return nullptr;
}

const Value* find(const Dict& dict, std::string_view key, Budget& budget) {
  budget.step(1 + dict.entries.size() / 4);
  for (const auto& [other, value] : dict.entries) {
    const Text* text = text_in(other);
    if (text != nullptr && text->bytes() == key) return &value;
  }
  return nullptr;
}

Value attribute(const Value& value, std::string_view name, Budget& budget) {
  if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("{}", *missing->why);
  if (is_method(value, name)) {
    budget.step(4);
    return std::make_shared<const Method>(Method{value, std::string(name)});
  }
  if (const Dict* dict = dict_in(value)) {
    if (const Value* found = find(*dict, name, budget)) return *found;
  } else if (const auto* space = std::get_if<Namespace*>(&value)) {
    const auto field = (*space)->fields.find(name);
    if (field != (*space)->fields.end()) return field->second;
  } else if (const auto* loop = std::get_if<const Loop*>(&value)) {
    return loop_attribute(**loop, name);
  }
  return undefined(fmt::format("{} has no attribute '{}'", type_name(value), name));
}

}  // namespace tinyllm::jinja
