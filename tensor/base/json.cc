#include <tinyllm/tensor/base/json.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyllm {
namespace {

constexpr size_t kLongest = 40;  // Bytes of a value in a message.
constexpr size_t kLongestName = 100;

// "line 3, byte 7", for the byte at `at`.
std::string position(std::string_view text, size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  return fmt::format("line {}, byte {}", line, before.size() - (before.rfind('\n') + 1) + 1);
}

std::string cut(std::string text, size_t longest) {
  if (text.size() <= longest) return text;
  return text.substr(0, character_cut(text, longest)) + "...";
}

// In quotes. Bytes that are not UTF-8 become U+FFFD.
std::string quoted(std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

[[noreturn]] void refuse(const Json& value, std::string_view name, const char* expected) {
  throw Error("field {}: is {}, expected {}", name, shown(value), expected);
}

}  // namespace

// Up to the first byte that is not JSON, this finds the same strings and brackets as the parser. The parser stops
// there.
void check_json_depth(std::string_view text, std::string_view what) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) {
        throw Error("{}: {}: nested deeper than {} levels", what, position(text, i), kMaxJsonDepth);
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

Json parse_json(std::string_view text, std::string_view what) {
  check_json_depth(text, what);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const size_t at = std::min(std::max<size_t>(error.byte, 1) - 1, text.size());
    throw Error("{}: {}: {}", what, position(text, at), at == text.size() ? "ends too early for JSON" : "is not JSON");
  } catch (const Json::exception&) {
    throw Error("{}: has a number that is too large", what);
  }
}

Json parse_json_object(std::string_view text, std::string_view what) {
  Json json = parse_json(text, what);
  if (!json.is_object()) throw Error("{}: is {}, expected a JSON object", what, type_of(json));
  return json;
}

Json load_json_object(const std::filesystem::path& path, uint64_t most) {
  return parse_json_object(read_file(path, most), path.string());
}

std::string_view type_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::object:
      return "an object";
    default:
      return "a number";
  }
}

std::string shown(const Json& value) {
  constexpr size_t kMostItems = 10;  // Limits the cost of printing.
  if (value.is_string()) return shortened(value.get_ref<const std::string&>());
  const bool is_nested = std::any_of(value.begin(), value.end(), [](const Json& item) { return !item.is_number(); });
  if (value.is_object() || (value.is_array() && (is_nested || value.size() > kMostItems))) {
    return std::string(type_of(value));
  }
  return cut(value.dump(), kLongest);
}

std::string shortened(std::string_view text) {
  const size_t end = character_cut(text, kLongest);
  return quoted(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

std::string short_name(std::string_view name) {
  const size_t end = character_cut(name, kLongestName);
  std::string text = quoted(name.substr(0, end));
  text = text.substr(1, text.size() - 2);
  return end < name.size() ? text + "..." : text;
}

const Json* find_field(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& need_field(const Json& object, const char* field) {
  const Json* found = find_field(object, field);
  if (found == nullptr) throw Error("field {}: missing", field);
  return *found;
}

void read_value(const Json& value, std::string_view name, bool& into) {
  if (!value.is_boolean()) refuse(value, name, "true or false");
  into = value.get<bool>();
}

void read_value(const Json& value, std::string_view name, int64_t& into) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > kMost)) {
    refuse(value, name, "a whole number");
  }
  into = value.get<int64_t>();
}

void read_value(const Json& value, std::string_view name, float& into) {
  if (!value.is_number()) refuse(value, name, "a number");
  const auto number = value.get<double>();
  if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) refuse(value, name, "at most 3.4e38");
  into = static_cast<float>(number);
}

void read_value(const Json& value, std::string_view name, std::string& into) {
  if (!value.is_string()) refuse(value, name, "a string");
  into = value.get<std::string>();
}

void read_value(const Json& value, std::string_view name, std::vector<std::string>& into) {
  if (!value.is_array()) refuse(value, name, "a list of strings");
  into.clear();
  for (const Json& item : value) {
    if (!item.is_string()) refuse(item, name, "strings in the list");
    into.push_back(item.get<std::string>());
  }
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

std::string text_or_none(const Json& object, const char* field) {
  const Json* found = find_field(object, field);
  if (found == nullptr) return {};
  if (!found->is_string()) throw Error("field {}: is {}, expected a string", field, type_of(*found));
  return found->get<std::string>();
}

std::string text(const Json& object, const char* field) {
  need_field(object, field);
  std::string words = text_or_none(object, field);
  if (is_blank(words)) throw Error("field {}: is empty, expected text", field);
  return words;
}

}  // namespace tinyllm
