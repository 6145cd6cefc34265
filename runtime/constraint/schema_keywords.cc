#include <tinyllm/runtime/constraint/schema_keywords.h>

#include <algorithm>
#include <array>

namespace tinyllm::keywords {
namespace {

constexpr std::array<Keyword, 21> kKeywords = {{{"type", 0},
                                                {"enum", 0},
                                                {"const", 0},
                                                {"anyOf", 0},
                                                {"oneOf", 0},
                                                {"allOf", 0},
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

constexpr std::array<std::string_view, 16> kAnnotations = {
    "title", "description", "default",  "examples",  "example", "format",     "$schema",       "$comment",
    "$defs", "definitions", "readOnly", "writeOnly", "$anchor", "deprecated", "discriminator", "contentMediaType"};

}  // namespace

const Keyword* find_keyword(std::string_view name) {
  const auto found =
      std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& keyword) { return keyword.name == name; });
  return found == kKeywords.end() ? nullptr : &*found;
}

bool is_annotation(std::string_view name) {
  return name.starts_with("x-") || std::find(kAnnotations.begin(), kAnnotations.end(), name) != kAnnotations.end();
}

std::string_view kind_of(const nlohmann::ordered_json& json) {
  if (json.is_null()) return "null";
  if (json.is_boolean()) return "a boolean";
  if (json.is_string()) return "a string";
  if (json.is_array()) return "a list";
  return json.is_object() ? "an object" : "a number";
}

long double exact(const nlohmann::ordered_json& number) {
  if (number.is_number_unsigned()) return static_cast<long double>(number.get<uint64_t>());
  if (number.is_number_integer()) return static_cast<long double>(number.get<int64_t>());
  return static_cast<long double>(number.get<double>());
}

}  // namespace tinyllm::keywords
