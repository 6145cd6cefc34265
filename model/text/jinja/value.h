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

/// The value of an unknown name or a missing field. Most uses throw Error with the reason `why`.
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

/// A value in a template. Texts, lists and dicts are immutable. The rendering owns namespaces, loops and macros, which
/// live as long as it.
using Value = std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
                           std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<const Method>,
                           Namespace*, const Loop*, const Macro*, Builtin>;
using TextPtr = std::shared_ptr<const Text>;
using ListPtr = std::shared_ptr<const List>;
using DictPtr = std::shared_ptr<const Dict>;

/// The deepest nesting of lists and dicts. It is limited because printing, comparing and destroying are recursive.
inline constexpr int kMaxValueDepth = 80;

struct List {
  /// Python's types that behave differently. `dict.items()` gives a view, `select` a generator.
  enum class Kind : uint8_t { list, tuple, range, view, generator };

  std::vector<Value> items;
  Kind kind = Kind::list;
  int32_t source = kFromTemplate;  ///< The origin of its brackets and numbers when printed.
  int depth = 1;
};

/// Keys are in the order of insertion. Dicts are small, so a key is found by a linear search.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  int32_t source = kFromTemplate;
  int depth = 1;
};

/// A method of a text or dict that is not called yet.
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

/// Makes a text, which costs steps.
Value make_text(Text text, Budget& budget);
Value make_text(std::string_view bytes, Budget& budget);
/// Throws Error if the value nests too deep. `source` is its origin.
Value make_list(std::vector<Value> items, Budget& budget, List::Kind kind = List::Kind::list,
                int32_t source = kFromTemplate);
Value make_dict(std::vector<std::pair<Value, Value>> entries, Budget& budget, int32_t source = kFromTemplate);
Value undefined(std::string why);
/// The depth of a list, dict or namespace that contains the value. Throws Error if nothing may contain it.
int depth_above(const Value& value);

const Text* text_in(const Value& value);  ///< Null if it is not a text.
const List* list_in(const Value& value);
const Dict* dict_in(const Value& value);
bool is_undefined(const Value& value);
/// The value of an integer or a bool, which is stored in `storage`; else null.
const int64_t* integer_in(const Value& value, int64_t& storage);

/// "a string", "None", ...
std::string_view type_name(const Value& value);
/// Python's bool().
bool truth(const Value& value);
bool equal(const Value& a, const Value& b, Budget& budget);
/// Throws Error on types without an order.
std::partial_ordering compare(const Value& a, const Value& b, Budget& budget);
/// Python's `item in container`.
bool contains(const Value& container, const Value& item, Budget& budget);

/// Null if there is no such key.
const Value* find(const Dict& dict, const Value& key, Budget& budget);
const Value* find(const Dict& dict, std::string_view key, Budget& budget);

/// The items that a `for` visits: those of a list, the keys of a dict, the characters of a text, none of an undefined
/// value. Throws Error on other values.
ListPtr items_of(const Value& value, Budget& budget);
/// Python's len(). Throws Error on types without a length.
int64_t length(const Value& value, Budget& budget);
/// `value.name`: a method, else an entry, else undefined. Throws Error if the value is undefined.
Value attribute(const Value& value, std::string_view name, Budget& budget);
/// `value[key]`: an entry, else an attribute.
Value subscript(const Value& value, const Value& key, Budget& budget);
/// `value[begin:end:step]` of a list or text. A bound that is undefined or None counts as left out.
Value slice(const Value& value, const Value& begin, const Value& end, const Value& step, Budget& budget);

}  // namespace tinyllm::jinja
