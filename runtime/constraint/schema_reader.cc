#include <tinyllm/runtime/constraint/schema_reader.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tinyllm {
namespace {

using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;

constexpr size_t kMaxBytes = size_t{256} << 10;
constexpr size_t kMaxParts = 20000;  // Keys and values.
constexpr size_t kMaxKeys = 4096;    // Keys are looked for one after the other.
constexpr size_t kMaxWords = 1000;   // Of an enumeration.
constexpr size_t kNoParent = SIZE_MAX;

enum Type : unsigned { kNull = 1, kBoolean = 2, kInteger = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64 };
constexpr std::array<std::pair<std::string_view, unsigned>, 7> kTypes = {{{"null", kNull},
                                                                          {"boolean", kBoolean},
                                                                          {"integer", kInteger},
                                                                          {"number", kNumber},
                                                                          {"string", kString},
                                                                          {"array", kArray},
                                                                          {"object", kObject}}};
constexpr unsigned kAllTypes = 127 - kInteger;

// Keywords that are served, and the type that each is about; 0: any.
constexpr std::array<std::pair<std::string_view, unsigned>, 20> kServed = {{{"type", 0},
                                                                            {"enum", 0},
                                                                            {"const", 0},
                                                                            {"anyOf", 0},
                                                                            {"oneOf", 0},
                                                                            {"$ref", 0},
                                                                            {"nullable", 0},
                                                                            {"properties", kObject},
                                                                            {"required", kObject},
                                                                            {"additionalProperties", kObject},
                                                                            {"items", kArray},
                                                                            {"prefixItems", kArray},
                                                                            {"minItems", kArray},
                                                                            {"maxItems", kArray},
                                                                            {"minLength", kString},
                                                                            {"maxLength", kString},
                                                                            {"minimum", kNumber},
                                                                            {"maximum", kNumber},
                                                                            {"exclusiveMinimum", kNumber},
                                                                            {"exclusiveMaximum", kNumber}}};

// Keywords that restrict nothing.
constexpr std::array<std::string_view, 16> kAnnotations = {
    "title", "description", "default",  "examples",  "example", "format",     "$schema",       "$comment",
    "$defs", "definitions", "readOnly", "writeOnly", "$anchor", "deprecated", "discriminator", "contentMediaType"};

bool is_annotation(std::string_view keyword) {
  return keyword.starts_with("x-") ||
         std::find(kAnnotations.begin(), kAnnotations.end(), keyword) != kAnnotations.end();
}

const std::pair<std::string_view, unsigned>* served(std::string_view keyword) {
  const auto found =
      std::find_if(kServed.begin(), kServed.end(), [&](const auto& row) { return row.first == keyword; });
  return found == kServed.end() ? nullptr : &*found;
}

// As `type_of` of tensor/base/json.h says it.
std::string_view kind_of(const SchemaReader::Json& json) {
  if (json.is_null()) return "null";
  if (json.is_boolean()) return "a boolean";
  if (json.is_string()) return "a string";
  if (json.is_array()) return "a list";
  return json.is_object() ? "an object" : "a number";
}

// Every whole number of JSON and every double has its own value in this type.
long double exact(const SchemaReader::Json& number) {
  if (number.is_number_unsigned()) return static_cast<long double>(number.get<uint64_t>());
  if (number.is_number_integer()) return static_cast<long double>(number.get<int64_t>());
  return static_cast<long double>(number.get<double>());
}

std::string escaped_step(std::string_view name) {
  std::string step;
  for (const char c : name) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return step;
}

// A part of a pointer in a URI fragment: %XX, ~0 and ~1. Nothing when it is malformed.
std::string unescaped_step(std::string_view step) {
  std::string name;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  for (size_t i = 0; i < step.size(); ++i) {
    const bool is_escape = step[i] == '%' && i + 2 < step.size() + 0 &&
                           std::isxdigit(static_cast<unsigned char>(step[i + 1])) &&
                           std::isxdigit(static_cast<unsigned char>(step[i + 2]));
    if (is_escape) {
      name += static_cast<char>(digit(step[i + 1]) * 16 + digit(step[i + 2]));
      i += 2;
    } else {
      name += step[i];
    }
  }
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '~' && i + 1 < name.size() && (name[i + 1] == '0' || name[i + 1] == '1')) {
      result += name[++i] == '0' ? '~' : '/';
    } else {
      result += name[i];
    }
  }
  return result;
}

SchemaReader::Json parse_ordered(std::string_view text, std::string_view what) {
  if (text.size() > kMaxBytes) throw Error("{}: {} bytes, at most {} are supported", what, text.size(), kMaxBytes);
  check_json_depth(text, what);
  size_t parts = 0, keys = 0;
  try {
    return SchemaReader::Json::parse(text, [&](int, SchemaReader::Json::parse_event_t event, SchemaReader::Json&) {
      keys += event == SchemaReader::Json::parse_event_t::key ? 1 : 0;
      if (++parts > kMaxParts || keys > kMaxKeys)
        throw Error("{}: has more than {} keys or {} parts", what, kMaxKeys, kMaxParts);
      return true;
    });
  } catch (const nlohmann::json::exception&) {
    parse_json(text, what);  // Says where.
    throw Error("{}: is not JSON", what);
  }
}

}  // namespace

SchemaReader::SchemaReader(std::string_view schema, const std::string& what, JsonGrammar& grammar, SchemaParts& parts)
    : what_(what), grammar_(grammar), parts_(parts), root_(parse_ordered(schema, what)) {}

uint32_t SchemaReader::read() {
  const uint32_t value = value_of(root_, kNoParent, "");
  // Reading one adds those that it needs.
  for (size_t i = 0; i < places_.size(); ++i) read(i);
  return value;
}

std::string SchemaReader::where(size_t place) const {
  std::string path;
  for (size_t i = place; i != kNoParent; i = places_[i].parent) {
    if (!places_[i].step.empty()) path = "/" + places_[i].step + path;
  }
  return fmt::format("{}: {}: ", what_, path.empty() ? "/" : short_name(path));
}

uint32_t SchemaReader::value_of(const Json& schema, size_t parent, std::string step) {
  const auto [found, is_new] = known_.try_emplace(&schema, static_cast<uint32_t>(parts_.values.size()));
  if (is_new) {
    places_.push_back({&schema, parent, std::move(step), found->second});
    parts_.values.emplace_back();
  }
  return found->second;
}

const SchemaReader::Json* SchemaReader::find(size_t place, const char* keyword) const {
  const auto found = schema(place).find(keyword);
  return found == schema(place).end() ? nullptr : &*found;
}

const SchemaReader::Json* SchemaReader::list(size_t place, const char* keyword) const {
  const Json* found = find(place, keyword);
  if (found != nullptr && !found->is_array()) fail(place, "{} is {}, expected a list", keyword, kind_of(*found));
  return found;
}

int64_t SchemaReader::count(size_t place, const char* keyword, int64_t fallback) const {
  const Json* found = find(place, keyword);
  if (found == nullptr) return fallback;
  if (!found->is_number_unsigned() || exact(*found) > static_cast<long double>(JsonGrammar::kNever)) {
    fail(place, "{} is {}, expected a whole number from 0 to {}", keyword, kind_of(*found), JsonGrammar::kNever);
  }
  return found->get<int64_t>();
}

void SchemaReader::read(size_t place) {
  const Json& json = schema(place);
  if (json.is_boolean()) {
    if (json.get<bool>()) {
      const uint32_t all = any();
      parts_.values[places_[place].value].push_back({true, all});
    }
    return;
  }
  if (!json.is_object()) fail(place, "is {}, expected a schema", kind_of(json));
  check_keywords(place);
  if (json.contains("$ref")) return read_reference(place);
  if (json.contains("anyOf")) return read_choice(place, "anyOf");
  if (json.contains("oneOf")) return read_choice(place, "oneOf");
  read_types(place);
}

void SchemaReader::check_keywords(size_t place) const {
  std::string_view alone;
  for (const char* keyword : {"$ref", "anyOf", "oneOf"}) {
    if (schema(place).contains(keyword)) alone = keyword;
  }
  for (const auto& [keyword, value] : schema(place).items()) {
    const bool is_off = keyword == "uniqueItems" && value == false;
    if (is_annotation(keyword) || is_off || (keyword == "$id" && place == 0)) continue;
    if (served(keyword) == nullptr) fail(place, "keyword {} is not supported", short_name(keyword));
    if (!alone.empty() && keyword != alone) fail(place, "keyword {} beside {} is not supported", keyword, alone);
  }
}

void SchemaReader::read_reference(size_t place) {
  const Json& reference = *find(place, "$ref");
  if (!reference.is_string()) fail(place, "$ref is {}, expected a string", kind_of(reference));
  const auto& text = reference.get_ref<const std::string&>();
  if (text != "#" && !text.starts_with("#/")) {
    fail(place, "$ref {} is not supported: expected one into this schema, as \"#/$defs/a\"", shortened(text));
  }
  const Json* target = &root_;
  for (size_t at = 1; at < text.size();) {
    const size_t end = std::min(text.find('/', at + 1), text.size());
    const std::string step = unescaped_step(std::string_view(text).substr(at + 1, end - at - 1));
    const Json* next = nullptr;
    if (target->is_object() && target->contains(step)) next = &*target->find(step);
    if (target->is_array() && !step.empty() && step.size() < 6 &&
        step.find_first_not_of("0123456789") == std::string::npos && std::stoul(step) < target->size()) {
      next = &(*target)[std::stoul(step)];
    }
    if (next == nullptr) fail(place, "$ref {} leads to nothing", shortened(text));
    target = next;
    at = end;
  }
  const uint32_t value = value_of(*target, kNoParent, text.size() > 1 ? text.substr(2) : "");
  parts_.values[places_[place].value].push_back({true, value});
}

void SchemaReader::read_choice(size_t place, const char* keyword) {
  const Json& alternatives = *list(place, keyword);
  if (alternatives.empty()) fail(place, "{} is empty", keyword);
  const uint32_t value = places_[place].value;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    const uint32_t part = value_of(alternatives[i], place, fmt::format("{}/{}", keyword, i));
    parts_.values[value].push_back({true, part});
  }
  parts_.choices.push_back({value, keyword == std::string_view("oneOf"), where(place)});
}

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
    // Keywords about one type: values of other types would do too, but are not meant.
    for (const auto& [keyword, value] : schema(place).items()) {
      const auto* row = served(keyword);
      if (row != nullptr && types == 0) types = row->second;
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

// Whether a literal keeps to the other keywords.
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
    const auto* row = served(keyword);
    if (row != nullptr && (row->second & (kArray | kObject)) != 0) {
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

// The tighter one of a bound and its exclusive form.
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
  // 15 digits: a double has each of these units, and is as near to a decimal as what a reader makes of it.
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

uint32_t SchemaReader::any() {
  if (parts_.any != JsonGrammar::kNone) return parts_.any;
  const auto value = static_cast<uint32_t>(parts_.values.size());
  parts_.any = value;
  parts_.values.emplace_back();
  for (Node node : {Node{.kind = Kind::words, .words = {"null", "true", "false"}}, Node{.kind = Kind::string},
                    Node{.kind = Kind::number}, Node{.kind = Kind::array, .rest = value},
                    Node{.kind = Kind::object, .rest = value}}) {
    const uint32_t id = add_node(std::move(node), true);
    parts_.values[value].push_back({false, id});
  }
  return value;
}

uint32_t SchemaReader::add_node(Node node, bool is_typed) {
  grammar_.nodes.push_back(std::move(node));
  parts_.typed.resize(grammar_.nodes.size(), true);
  parts_.typed.back() = is_typed;
  return static_cast<uint32_t>(grammar_.nodes.size() - 1);
}

void SchemaReader::add(size_t place, Node node, bool is_typed) {
  const uint32_t id = add_node(std::move(node), is_typed);
  parts_.values[places_[place].value].push_back({false, id});
}

}  // namespace tinyllm
