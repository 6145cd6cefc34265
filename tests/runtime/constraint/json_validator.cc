#include "runtime/constraint/json_validator.h"

#include <cmath>
#include <set>

namespace tinyllm::test {
namespace {

using Json = nlohmann::json;

class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  std::string check(const Json& schema, const Json& value) const {
    // A reference that leads back to itself for the same value allows nothing of its own.
    if (!open_.emplace(&schema, &value).second) return "the schema goes round for " + value.dump();
    const std::string wrong = check_keywords(schema, value);
    open_.erase({&schema, &value});
    return wrong;
  }

 private:
  std::string check_keywords(const Json& schema, const Json& value) const {
    if (schema.is_boolean()) return schema.get<bool>() ? "" : "nothing is allowed here, found " + value.dump();
    for (const auto& [keyword, argument] : schema.items()) {
      const std::string wrong = check(keyword, argument, schema, value);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  std::string check(const std::string& keyword, const Json& argument, const Json& schema, const Json& value) const {
    const auto unless = [&](bool holds) {
      return holds ? std::string() : keyword + " " + argument.dump() + " is broken by " + value.dump();
    };
    if (keyword == "type") {
      if (!argument.is_array()) return unless(has_type(argument, value) || is_allowed_null(schema, value));
      return unless(
          std::any_of(argument.begin(), argument.end(), [&](const Json& type) { return has_type(type, value); }) ||
          is_allowed_null(schema, value));
    }
    if (keyword == "enum") return unless(std::find(argument.begin(), argument.end(), value) != argument.end());
    if (keyword == "const") return unless(argument == value);
    if (keyword == "$ref")
      return check(root_.at(Json::json_pointer(unescaped(argument.get<std::string>().substr(1)))), value);
    if (keyword == "anyOf" || keyword == "oneOf") {
      const auto valid =
          std::count_if(argument.begin(), argument.end(), [&](const Json& s) { return check(s, value).empty(); });
      return unless(keyword == "anyOf" ? valid > 0 : valid == 1);
    }
    if (keyword == "minLength" || keyword == "maxLength") {
      if (!value.is_string()) return "";
      int64_t size = 0;
      for (const char c : value.get<std::string>()) size += (c & 0xC0) != 0x80;
      return unless(keyword == "minLength" ? size >= argument : size <= argument);
    }
    if (keyword == "minimum") return unless(!value.is_number() || value >= argument);
    if (keyword == "maximum") return unless(!value.is_number() || value <= argument);
    if (keyword == "exclusiveMinimum") return unless(!value.is_number() || value > argument);
    if (keyword == "exclusiveMaximum") return unless(!value.is_number() || value < argument);
    if (keyword == "minItems") return unless(!value.is_array() || value.size() >= argument);
    if (keyword == "maxItems") return unless(!value.is_array() || value.size() <= argument);
    if (keyword == "items" || keyword == "prefixItems") return check_items(keyword, argument, schema, value);
    if (keyword == "required") {
      return unless(!value.is_object() || std::all_of(argument.begin(), argument.end(), [&](const Json& name) {
        return value.contains(name.get<std::string>());
      }));
    }
    if (keyword == "properties" || keyword == "additionalProperties")
      return check_properties(keyword, argument, schema, value);
    return "";  // It restricts nothing.
  }

  // %XX in a URI fragment.
  static std::string unescaped(const std::string& fragment) {
    std::string text;
    for (size_t i = 0; i < fragment.size(); ++i) {
      const bool is_escape = fragment[i] == '%' && i + 2 < fragment.size() && std::isxdigit(fragment[i + 1]) != 0 &&
                             std::isxdigit(fragment[i + 2]) != 0;
      text += is_escape ? static_cast<char>(std::stoi(fragment.substr(i + 1, 2), nullptr, 16)) : fragment[i];
      i += is_escape ? 2 : 0;
    }
    return text;
  }

  static bool is_allowed_null(const Json& schema, const Json& value) {
    return value.is_null() && schema.value("nullable", false);
  }

  static bool has_type(const Json& type, const Json& value) {
    if (type == "integer") return value.is_number() && std::floor(value.get<double>()) == value.get<double>();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  std::string check_items(const std::string& keyword, const Json& argument, const Json& schema,
                          const Json& value) const {
    if (!value.is_array()) return "";
    const size_t first = schema.contains("prefixItems") ? schema.at("prefixItems").size() : 0;
    for (size_t i = 0; i < value.size(); ++i) {
      std::string wrong;
      if (keyword == "prefixItems" && i < first) wrong = check(argument[i], value[i]);
      if (keyword == "items" && i >= first) wrong = check(argument, value[i]);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  std::string check_properties(const std::string& keyword, const Json& argument, const Json& schema,
                               const Json& value) const {
    if (!value.is_object()) return "";
    for (const auto& [name, property] : value.items()) {
      const bool is_declared = schema.contains("properties") && schema.at("properties").contains(name);
      std::string wrong;
      if (keyword == "properties" && is_declared) wrong = check(argument.at(name), property);
      if (keyword == "additionalProperties" && !is_declared) wrong = check(argument, property);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  const Json& root_;
  mutable std::set<std::pair<const Json*, const Json*>> open_;
};

}  // namespace

std::string why_invalid(const nlohmann::json& schema, const nlohmann::json& value) {
  return Validator(schema).check(schema, value);
}

}  // namespace tinyllm::test
