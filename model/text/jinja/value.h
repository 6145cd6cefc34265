#pragma once

#include <tinyllm/model/text/jinja/budget.h>
#include <tinyllm/model/text/jinja/text.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tinyllm::jinja {

/// A name that has no value, a field that is missing. Most uses are errors, which say `why`.
struct Undefined {
  std::shared_ptr<const std::string> why;
};
struct None {};
enum class Builtin : uint8_t { range, namespace_, raise_exception, strftime_now };

struct List;
struct Dict;
struct Method;
struct Namespace;
struct Loop;
struct Macro;

/// A value of a template. Texts, lists and dicts never change. Namespaces, loops and macros live as long as the
/// rendering, which owns them.
using Value = std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
                           std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<const Method>,
                           Namespace*, const Loop*, const Macro*, Builtin>;
using TextPtr = std::shared_ptr<const Text>;
using ListPtr = std::shared_ptr<const List>;
using DictPtr = std::shared_ptr<const Dict>;

/// Deepest nesting of lists and dicts: printing, comparing and destroying are recursive.
inline constexpr int kMaxValueDepth = 80;

struct List {
  /// Python's types, where they are told apart: a view is what `dict.items()` gives, a generator what `select` gives.
  enum class Kind : uint8_t { list, tuple, range, view, generator };

  std::vector<Value> items;
  Kind kind = Kind::list;
  int32_t source = kFromTemplate;  ///< Whose brackets and numbers these are when they are printed.
  int depth = 1;
};

/// In the order in which the keys came. Few have many keys, so finding one is a search from the first.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  int32_t source = kFromTemplate;
  int depth = 1;
};

/// A method of a text or dict that was not yet called.
struct Method {
  Value self;
  std::string name;
};

struct Namespace {
  std::map<std::string, Value, std::less<>> fields;
};

/// The variable `loop`.
struct Loop {
  ListPtr list;
  size_t index = 0;
};

/// A new text, which takes steps.
Value make_text(Text text, Budget& budget);
Value make_text(std::string_view bytes, Budget& budget);
/// Throws Error when it nests too deep. `source` is who wrote it.
Value make_list(std::vector<Value> items, Budget& budget, List::Kind kind = List::Kind::list,
                int32_t source = kFromTemplate);
Value make_dict(std::vector<std::pair<Value, Value>> entries, Budget& budget, int32_t source = kFromTemplate);
Value undefined(std::string why);
/// The depth of a list, dict or namespace that contains a value. Throws Error when none may.
int depth_above(const Value& value);

const Text* text_in(const Value& value);  ///< Null when it is not a text.
const List* list_in(const Value& value);
const Dict* dict_in(const Value& value);
bool is_undefined(const Value& value);
/// The integer of an integer or a bool.
const int64_t* integer_in(const Value& value, int64_t& storage);

/// "a string", "None", ...
std::string_view type_name(const Value& value);
/// Python's bool().
bool truth(const Value& value);
bool equal(const Value& a, const Value& b, Budget& budget);
/// Throws Error for types that have no order.
std::partial_ordering compare(const Value& a, const Value& b, Budget& budget);
/// Python's `item in container`.
bool contains(const Value& container, const Value& item, Budget& budget);

/// Null when there is no such key.
const Value* find(const Dict& dict, const Value& key, Budget& budget);
const Value* find(const Dict& dict, std::string_view key, Budget& budget);

/// What a `for` runs over: the items of a list, the keys of a dict, the characters of a text, nothing of an undefined
/// value. Throws Error for others.
ListPtr items_of(const Value& value, Budget& budget);
/// Python's len(). Throws Error for types that have none.
int64_t length(const Value& value, Budget& budget);
/// `value.name`: a method, else an entry. Undefined when there is none; throws Error when the value is undefined.
Value attribute(const Value& value, std::string_view name, Budget& budget);
/// `value[key]`: an entry, else an attribute.
Value subscript(const Value& value, const Value& key, Budget& budget);
/// `value[begin:end:step]` of a list or text; undefined or None stands for a bound that is left out.
Value slice(const Value& value, const Value& begin, const Value& end, const Value& step, Budget& budget);

}  // namespace tinyllm::jinja
