// Reads the keywords that restrict one type of value: enumerations, strings, numbers, lists and objects.
#include <tinyllm/runtime/constraint/schema_keywords.h>
#include <tinyllm/runtime/constraint/schema_reader.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tinyllm {
namespace {

using keywords::exact;
using keywords::find_keyword;
using keywords::kAllTypes;
using keywords::Keyword;
using keywords::kind_of;
using enum keywords::Type;
using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;

constexpr size_t kMaxWords = 1000;  // Values of an enumeration.

constexpr std::array<std::pair<std::string_view, unsigned>, 7> kTypes = {{{"null", kNull},
                                                                          {"boolean", kBoolean},
                                                                          {"integer", kInteger},
                                                                          {"number", kNumber},
                                                                          {"string", kString},
                                                                          {"array", kArray},
                                                                          {"object", kObject}}};

std::string escaped_step(std::string_view name) {
  std::string step;
  for (const char c : name) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return step;
}

}  // namespace

unsigned SchemaReader::types_of(size_t place) const {
  const Json* found = find(place, "type");
  if (found == nullptr) return 0;
  unsigned types = 0;
  const auto add = [&](const Json& name) {
    const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return name == type.first; });
    if (row == kTypes.end()) {
      fail(place, "type is {}, expected null, boolean, integer, number, string, array or object",
           name.is_string() ? shortened(name.get_ref<const std::string&>()) : std::string(kind_of(name)));
    }
    types |= row->second;
  };
  if (found->is_array()) {
    for (const Json& name : *found) add(name);
    if (types == 0) fail(place, "type is an empty list");
  } else {
    add(*found);
  }
  const Json* nullable = find(place, "nullable");
  if (nullable != nullptr && !nullable->is_boolean())
    fail(place, "nullable is {}, expected a boolean", kind_of(*nullable));
  if (nullable != nullptr && nullable->get<bool>()) types |= kNull;
  return types;
}

void SchemaReader::read_types(size_t place) {
  unsigned types = types_of(place);
  const bool is_typed = types != 0;
  if (schema(place).contains("enum") || schema(place).contains("const")) {
    return read_literals(place, is_typed ? types : kAllTypes, true);
  }
  if (!is_typed) {
    // Keywords restrict only one type, so values of other types are valid too. But authors mean this type alone.
    for (const auto& [keyword, value] : schema(place).items()) {
      const Keyword* known = find_keyword(keyword);
      if (known != nullptr && types == 0) types = known->types;
    }
    if (types == 0) {
      const uint32_t all = any();
      parts_.values[places_[place].value].push_back({true, all});
      return;
    }
  }
  std::vector<std::string> words;
  if ((types & kNull) != 0) words.emplace_back("null");
  if ((types & kBoolean) != 0) words.insert(words.end(), {"true", "false"});
  if (!words.empty()) add(place, {.kind = Kind::words, .words = std::move(words)}, is_typed);
  if ((types & kString) != 0) {
    add(place,
        {.kind = Kind::string,
         .least = count(place, "minLength", 0),
         .most = count(place, "maxLength", JsonGrammar::kUnlimited)},
        is_typed);
  }
  if ((types & (kNumber | kInteger)) != 0) read_number(place, (types & kNumber) == 0, is_typed);
  if ((types & kArray) != 0) read_array(place, is_typed);
  if ((types & kObject) != 0) read_object(place, is_typed);
}

// Whether a literal satisfies the other keywords.
bool SchemaReader::fits(size_t place, const Json& literal, unsigned types) const {
  if (literal.is_null()) return (types & kNull) != 0;
  if (literal.is_boolean()) return (types & kBoolean) != 0;
  if (literal.is_string()) {
    const int64_t size = count_of_characters(literal.get_ref<const std::string&>());
    return (types & kString) != 0 && size >= count(place, "minLength", 0) &&
           size <= count(place, "maxLength", JsonGrammar::kUnlimited);
  }
  if (literal.is_number()) {
    const long double number = exact(literal);
    bool excludes_low = false, excludes_high = false;
    const long double low = bound(place, "minimum", "exclusiveMinimum", true, excludes_low);
    const long double high = bound(place, "maximum", "exclusiveMaximum", false, excludes_high);
    const bool is_in =
        (excludes_low ? number > low : number >= low) && (excludes_high ? number < high : number <= high);
    return is_in && ((types & kNumber) != 0 || ((types & kInteger) != 0 && number == std::floor(number)));
  }
  for (const auto& [keyword, value] : schema(place).items()) {
    const Keyword* known = find_keyword(keyword);
    if (known != nullptr && (known->types & (kArray | kObject)) != 0) {
      fail(place, "keyword {} beside an enumerated list or object is not supported", keyword);
    }
  }
  return (types & (literal.is_array() ? kArray : kObject)) != 0;
}

void SchemaReader::read_literals(size_t place, unsigned types, bool is_typed) {
  const Json* words = list(place, "enum");
  const Json* only = find(place, "const");
  if (words != nullptr && words->size() > kMaxWords) {
    fail(place, "enum has {} values, at most {} are supported", words->size(), kMaxWords);
  }
  Node node{.kind = Kind::words};
  const auto add_word = [&](const Json& literal) {
    if (!fits(place, literal, types)) return;
    std::string word = literal.dump();
    if (std::find(node.words.begin(), node.words.end(), word) == node.words.end())
      node.words.push_back(std::move(word));
  };
  if (words == nullptr) {
    add_word(*only);
  } else {
    for (const Json& word : *words) {
      if (only == nullptr || word == *only) add_word(word);
    }
  }
  add(place, std::move(node), is_typed);
}

// The tighter of a bound and its exclusive form.
long double SchemaReader::bound(size_t place, const char* inclusive, const char* exclusive, bool is_low,
                                bool& excludes) const {
  long double tightest = is_low ? -HUGE_VALL : HUGE_VALL;
  for (const char* keyword : {inclusive, exclusive}) {
    const Json* found = find(place, keyword);
    if (found == nullptr) continue;
    if (!found->is_number()) fail(place, "{} is {}, expected a number", keyword, kind_of(*found));
    const long double number = exact(*found);
    const bool is_tighter = is_low ? number > tightest : number < tightest;
    if (is_tighter || (number == tightest && keyword == exclusive)) {
      tightest = number;
      excludes = keyword == exclusive;
    }
  }
  return tightest;
}

void SchemaReader::read_number(size_t place, bool is_integer, bool is_typed) {
  bool excludes_low = false, excludes_high = false;
  const long double low = bound(place, "minimum", "exclusiveMinimum", true, excludes_low);
  const long double high = bound(place, "maximum", "exclusiveMaximum", false, excludes_high);
  if (!is_integer && std::isinf(low) && std::isinf(high)) return add(place, {.kind = Kind::number}, is_typed);
  // Up to 15 digits, a double tells any two decimals apart, so that a reader of the answer gets the number that is
  // checked here.
  constexpr int64_t kMost = 999'999'999'999'999;
  const int64_t unit = is_integer ? 1 : 1'000'000;
  const auto keeps = [&](int64_t units) {
    const auto number = static_cast<long double>(static_cast<double>(units) / static_cast<double>(unit));
    return std::pair(excludes_low ? number > low : number >= low, excludes_high ? number < high : number <= high);
  };
  const auto nearest = [&](long double number) {
    return static_cast<int64_t>(std::clamp(number * static_cast<long double>(unit), -1.0L - kMost, 1.0L + kMost));
  };
  int64_t least = std::max(nearest(low) - 2, -kMost), most = std::min(nearest(high) + 2, kMost);
  while (least <= kMost && !keeps(least).first) ++least;
  while (most >= -kMost && !keeps(most).second) --most;
  add(place, {.kind = Kind::decimal, .least = least, .most = most, .decimals = is_integer ? 0 : 6}, is_typed);
}

void SchemaReader::read_array(size_t place, bool is_typed) {
  Node node{.kind = Kind::array,
            .least = count(place, "minItems", 0),
            .most = count(place, "maxItems", JsonGrammar::kUnlimited)};
  if (const Json* first = list(place, "prefixItems")) {
    for (size_t i = 0; i < first->size(); ++i) {
      node.values.push_back(value_of((*first)[i], place, fmt::format("prefixItems/{}", i)));
    }
  }
  const Json* items = find(place, "items");
  node.rest = items != nullptr ? value_of(*items, place, "items") : any();
  add(place, std::move(node), is_typed);
}

void SchemaReader::read_object(size_t place, bool is_typed) {
  Node node{.kind = Kind::object};
  std::map<std::string, size_t, std::less<>> index;
  const auto declare = [&](const std::string& name, uint32_t value) {
    index.emplace(name, node.words.size());
    node.words.push_back(Json(name).dump());
    node.values.push_back(value);
    node.required.push_back(false);
  };
  if (const Json* properties = find(place, "properties")) {
    if (!properties->is_object()) fail(place, "properties is {}, expected an object", kind_of(*properties));
    for (const auto& [name, property] : properties->items()) {
      declare(name, value_of(property, place, "properties/" + escaped_step(name)));
    }
  }
  const Json* other = find(place, "additionalProperties");
  const uint32_t rest = other != nullptr ? value_of(*other, place, "additionalProperties") : any();
  if (const Json* required = list(place, "required")) {
    for (const Json& name : *required) {
      if (!name.is_string()) fail(place, "required has {}, expected strings", kind_of(name));
      const auto& text = name.get_ref<const std::string&>();
      if (!index.contains(text)) declare(text, rest);
      node.required[index.find(text)->second] = true;
    }
  }
  if (node.words.empty()) node.rest = rest;
  add(place, std::move(node), is_typed);
}

}  // namespace tinyllm
