#include <tinyllm/runtime/constraint/schema_reader.h>

#include <tinyllm/runtime/constraint/schema_keywords.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tinyllm {
namespace {

using keywords::exact;
using keywords::find_keyword;
using keywords::kind_of;
using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;

constexpr size_t kMaxBytes = size_t{256} << 10;
constexpr size_t kMaxParts = 20000;  // Keys and values.
constexpr size_t kMaxKeys = 4096;    // Keys are searched linearly.
constexpr size_t kNoParent = SIZE_MAX;
// Each says all of a schema, but for annotations.
constexpr std::array<const char*, 4> kOnly = {"$ref", "anyOf", "oneOf", "allOf"};

// Decodes one step of a JSON pointer in a URI fragment: %XX, ~0 and ~1. A malformed escape stays as it is.
std::string unescaped_step(std::string_view step) {
  std::string name;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  for (size_t i = 0; i < step.size(); ++i) {
    const bool is_escape = step[i] == '%' && i + 2 < step.size() &&
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
    parse_json(text, what);  // Throws an error with the position.
    throw Error("{}: is not JSON", what);
  }
}

}  // namespace

SchemaReader::SchemaReader(std::string_view schema, const std::string& what, bool is_strict, JsonGrammar& grammar,
                           SchemaParts& parts)
    : what_(what), is_strict_(is_strict), grammar_(grammar), parts_(parts), root_(parse_ordered(schema, what)) {}

uint32_t SchemaReader::read() {
  const uint32_t value = value_of(root_, kNoParent, "");
  // Reading a place appends the places that it needs.
  for (size_t i = 0; i < places_.size(); ++i) is_strict_ ? read(i) : read_loosely(i);
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
  if (is_strict_) check_keywords(place);
  const char* only = only_keyword(place);
  if (only == nullptr) return read_types(place);
  only == std::string_view("$ref") ? read_reference(place) : read_choice(place, only);
}

// The keyword that says all of a schema. Where it need not, types say more.
const char* SchemaReader::only_keyword(size_t place) const {
  const Json& json = schema(place);
  const bool has_types = json.contains("type") || json.contains("enum") || json.contains("const");
  if (!is_strict_ && has_types) return nullptr;
  for (const char* keyword : kOnly) {
    if (json.contains(keyword)) return keyword;
  }
  return nullptr;
}

// What cannot be read means any value; the whole schema any object, as the arguments of a function are.
void SchemaReader::read_loosely(size_t place) {
  try {
    read(place);
  } catch (const Error&) {
    const uint32_t all = any();
    std::vector<SchemaParts::Part>& parts = parts_.values[places_[place].value];
    parts.clear();
    if (place != 0) {
      parts.push_back({true, all});
    } else {
      add(place, Node{.kind = Kind::object, .rest = all}, true);
    }
  }
}

void SchemaReader::check_keywords(size_t place) const {
  std::string_view alone;
  for (const char* keyword : kOnly) {
    if (schema(place).contains(keyword)) alone = keyword;
  }
  for (const auto& [keyword, value] : schema(place).items()) {
    const bool is_off = keyword == "uniqueItems" && value == false;
    if (keywords::is_annotation(keyword) || is_off || (keyword == "$id" && place == 0)) continue;
    if (find_keyword(keyword) == nullptr) fail(place, "keyword {} is not supported", short_name(keyword));
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
  if (keyword == std::string_view("allOf") && alternatives.size() > 1) {
    fail(place, "allOf of {} schemas is not supported, expected one", alternatives.size());
  }
  const uint32_t value = places_[place].value;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    const uint32_t part = value_of(alternatives[i], place, fmt::format("{}/{}", keyword, i));
    parts_.values[value].push_back({true, part});
  }
  const uint32_t fallback = is_strict_ ? JsonGrammar::kNone : any();
  parts_.choices.push_back({value, keyword == std::string_view("oneOf"), where(place), fallback});
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
