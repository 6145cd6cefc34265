// Schemas of the served keywords, at random.
#pragma once

#include <tinyllm/tensor/base/random.h>

#include <nlohmann/json.hpp>

namespace tinyllm::test {

class RandomSchema {
 public:
  using Json = nlohmann::ordered_json;

  explicit RandomSchema(uint64_t seed) : random_(seed) {}

  Json make() {
    Json schema = value(0);
    if (!schema.is_object()) schema = Json::object();
    if (has_reference_)
      schema["$defs"] = {{"a", object(2)},
                         {"b/c", {{"anyOf", {scalar(), {{"type", "array"}, {"items", {{"$ref", "#"}}}}}}}}};
    return schema;
  }

 private:
  uint64_t below(uint64_t n) { return random_.below(static_cast<int64_t>(n)); }
  bool flip() { return below(2) == 0; }

  Json value(int depth) {
    const uint64_t kind = below(depth >= 3 ? 4 : 10);
    if (kind < 3) return scalar();
    if (kind == 3) return below(8) == 0 ? Json(flip()) : literals();
    if (kind < 7) return object(depth + 1);
    if (kind == 7) return list(depth + 1);
    if (kind == 8) {
      has_reference_ = true;
      constexpr const char* kTargets[] = {"#", "#/$defs/a", "#/$defs/b~1c"};
      return {{"$ref", kTargets[below(3)]}};
    }
    Json parts = Json::array();
    for (uint64_t n = 1 + below(4); n > 0; --n) parts.push_back(value(depth + 1));
    return {{"anyOf", parts}};
  }

  Json scalar() {
    constexpr const char* kTypes[] = {"null", "boolean", "integer", "number", "string"};
    Json schema = {{"type", kTypes[below(5)]}};
    if (below(4) == 0) schema["type"] = {kTypes[below(5)], kTypes[below(5)]};
    if (below(6) == 0) schema["nullable"] = flip();
    if (flip()) schema[flip() ? "minLength" : "maxLength"] = below(6);
    if (flip()) {
      const auto low = static_cast<int64_t>(below(2000)) - 1000;
      schema[flip() ? "minimum" : "exclusiveMinimum"] = flip() ? Json(low) : Json(static_cast<double>(low) / 16);
      if (flip()) schema[flip() ? "maximum" : "exclusiveMaximum"] = low + static_cast<int64_t>(below(30)) + 1;
    } else if (flip()) {
      schema["maximum"] = static_cast<double>(below(100000)) / 1000 - 50;
    }
    return schema;
  }

  Json literals() {
    const Json all = {"a", "ab", "b\n\"", "元",    "",         1,      10,
                      -3,  1.5,  true,    nullptr, {{"x", 1}}, {1, 2}, "\xF0\x9F\x98\x80"};
    if (below(3) == 0) return {{"const", all[below(all.size())]}};
    Json words = Json::array();
    for (uint64_t n = 1 + below(5); n > 0; --n) words.push_back(all[below(all.size())]);
    return {{"enum", words}};
  }

  Json object(int depth) {
    Json schema = {{"type", "object"}};
    if (below(5) == 0) {
      if (flip()) schema["additionalProperties"] = value(depth);
      return schema;
    }
    constexpr const char* kNames[] = {"a", "ab", "abc", "name", "b", "元", "x \"y\"", "description"};
    Json required = Json::array();
    for (uint64_t n = below(5); n > 0; --n) {
      const char* name = kNames[below(8)];
      schema["properties"][name] = value(depth);
      if (flip()) required.push_back(name);
    }
    if (below(8) == 0) required.push_back("undeclared");
    if (flip()) schema["required"] = required;
    if (flip()) schema["additionalProperties"] = flip() ? Json(false) : scalar();
    return schema;
  }

  Json list(int depth) {
    Json schema = {{"type", "array"}};
    if (flip()) schema["items"] = value(depth);
    if (below(3) == 0) {
      for (uint64_t n = 1 + below(3); n > 0; --n) schema["prefixItems"].push_back(value(depth));
    }
    const uint64_t least = below(3);
    if (flip()) schema["minItems"] = least;
    if (flip()) schema["maxItems"] = least + below(3);
    return schema;
  }

  Random random_;
  bool has_reference_ = false;
};

}  // namespace tinyllm::test
