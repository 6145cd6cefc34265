// Operations on lists, texts and other sequences: iteration, length, indices and slices.
#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/model/text/jinja/value.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

// The position of each character, and the end.
std::vector<size_t> character_starts(const Text& text, Budget& budget) {
  budget.step(1 + text.size() / 4);
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!continues_character(text.bytes()[at])) starts.push_back(at);
  }
  starts.push_back(text.size());
  return starts;
}

// Null if the index is out of range.
const Value* item_at(const List& list, int64_t index) {
  const auto size = static_cast<int64_t>(list.items.size());
  if (index < 0) index += size;
  return index >= 0 && index < size ? &list.items[static_cast<size_t>(index)] : nullptr;
}

Value character_at(const Text& text, int64_t index, Budget& budget) {
  const std::vector<size_t> starts = character_starts(text, budget);
  const auto size = static_cast<int64_t>(starts.size()) - 1;
  if (index < 0) index += size;
  if (index < 0 || index >= size) return undefined("a string has no such index");
  const auto at = static_cast<size_t>(index);
  return make_text(text.slice(starts[at], starts[at + 1]), budget);
}

int64_t bound(const Value& value, int64_t otherwise) {
  if (is_undefined(value) || std::holds_alternative<None>(value)) return otherwise;
  int64_t storage = 0;
  const int64_t* integer = integer_in(value, storage);
  if (integer == nullptr) throw Error("a slice needs integers, found {}", type_name(value));
  return *integer;
}

// Python's slice.indices(size): the indices that a slice selects.
std::vector<size_t> indices(int64_t size, const Value& begin, const Value& end, const Value& step_value,
                            Budget& budget) {
  const int64_t step = bound(step_value, 1);
  if (step == 0) throw Error("the step of a slice is 0");
  const int64_t lowest = step > 0 ? 0 : -1;
  const int64_t highest = step > 0 ? size : size - 1;
  const auto within = [&](int64_t index) { return std::clamp(index < 0 ? index + size : index, lowest, highest); };
  const bool forwards = step > 0;
  const auto given = [](const Value& value) { return !is_undefined(value) && !std::holds_alternative<None>(value); };
  const int64_t first = given(begin) ? within(bound(begin, 0)) : (forwards ? lowest : highest);
  const int64_t last = given(end) ? within(bound(end, 0)) : (forwards ? highest : lowest);
  std::vector<size_t> selected;
  // A step beyond the size selects one item, however large it is.
  const int64_t stride = std::clamp(step, -size - 1, size + 1);
  for (int64_t i = first; forwards ? i < last : i > last; i += stride) selected.push_back(static_cast<size_t>(i));
  budget.step(selected.size());
  return selected;
}

}  // namespace

ListPtr items_of(const Value& value, Budget& budget) {
  if (const ListPtr* list = std::get_if<ListPtr>(&value)) return *list;
  List items;
  if (const Text* text = text_in(value)) {
    const std::vector<size_t> starts = character_starts(*text, budget);
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      items.items.push_back(make_text(text->slice(starts[i], starts[i + 1]), budget));
    }
  } else if (const Dict* dict = dict_in(value)) {
    budget.step(dict->entries.size());
    for (const auto& entry : dict->entries) items.items.push_back(entry.first);
  } else if (!is_undefined(value)) {
    throw Error("{} has no items", type_name(value));
  }
  return std::make_shared<const List>(std::move(items));
}

int64_t length(const Value& value, Budget& budget) {
  if (is_undefined(value)) return 0;
  if (const Text* text = text_in(value)) {
    budget.read(text->size());
    return count_of_characters(text->bytes());
  }
  if (const Dict* dict = dict_in(value)) return static_cast<int64_t>(dict->entries.size());
  const List* list = list_in(value);
  if (list == nullptr) throw Error("{} has no length", type_name(value));
  if (list->kind == List::Kind::generator) throw Error("a generator has no length: use the filter list before");
  return static_cast<int64_t>(list->items.size());
}

Value subscript(const Value& value, const Value& key, Budget& budget) {
  if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("{}", *missing->why);
  const bool hashable = list_in(key) == nullptr && dict_in(key) == nullptr;
  if (const Dict* dict = dict_in(value); dict != nullptr && hashable) {
    if (const Value* found = find(*dict, key, budget)) return *found;
  }
  int64_t storage = 0;
  if (const int64_t* index = integer_in(key, storage)) {
    const List* list = list_in(value);
    const bool has_indices = list != nullptr && list->kind != List::Kind::view && list->kind != List::Kind::generator;
    if (const Value* item = has_indices ? item_at(*list, *index) : nullptr) return *item;
    if (const Text* text = text_in(value)) return character_at(*text, *index, budget);
    return undefined(fmt::format("{} has no item {}", type_name(value), *index));
  }
  if (const Text* name = text_in(key)) return attribute(value, name->bytes(), budget);
  return undefined(fmt::format("{} has no item with {} for its key", type_name(value), type_name(key)));
}

Value slice(const Value& value, const Value& begin, const Value& end, const Value& step, Budget& budget) {
  if (const auto* missing = std::get_if<Undefined>(&value)) throw Error("{}", *missing->why);
  if (const Text* text = text_in(value)) {
    const std::vector<size_t> starts = character_starts(*text, budget);
    Text part;
    for (const size_t i : indices(static_cast<int64_t>(starts.size()) - 1, begin, end, step, budget)) {
      part.append(*text, starts[i], starts[i + 1]);
    }
    return make_text(std::move(part), budget);
  }
  const List* list = list_in(value);
  if (list == nullptr || list->kind == List::Kind::view || list->kind == List::Kind::generator) {
    return undefined(fmt::format("{} has no slices", type_name(value)));
  }
  std::vector<Value> items;
  for (const size_t i : indices(static_cast<int64_t>(list->items.size()), begin, end, step, budget)) {
    items.push_back(list->items[i]);
  }
  return make_list(std::move(items), budget, list->kind, list->source);
}

}  // namespace tinyllm::jinja
