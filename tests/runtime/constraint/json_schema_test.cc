#include <doctest/doctest.h>

#include "error_of.h"
#include "runtime/constraint/schemas.h"

namespace tinyllm::test {
namespace {

std::string error_in(const std::string& schema) {
  return error_of([&] { grammar_of(schema); });
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("what is not served is refused, with its path and keyword") {
  const struct {
    const char* schema;
    const char* error;
  } cases[] = {
      {R"({"type": "string", "pattern": "a"})", "schema: /: keyword pattern is not supported"},
      {R"({"properties": {"x": {"type": "array", "uniqueItems": true}}})",
       "schema: /properties/x: keyword uniqueItems is not supported"},
      {R"({"properties": {"a/b~": {"not": {}}}})", "schema: /properties/a~1b~0: keyword not is not supported"},
      {R"({"items": {"multipleOf": 2}})", "schema: /items: keyword multipleOf is not supported"},
      {R"({"prefixItems": [true, {"contains": {}}]})", "schema: /prefixItems/1: keyword contains is not supported"},
      {R"({"anyOf": [{}, {"allOf": []}]})", "schema: /anyOf/1: allOf is empty"},
      {R"({"additionalProperties": {"if": true}})", "schema: /additionalProperties: keyword if is not supported"},
      {R"({"patternProperties": {}})", "schema: /: keyword patternProperties is not supported"},
      {R"({"minProperties": 1})", "schema: /: keyword minProperties is not supported"},
      {R"({"propertyNames": {}})", "schema: /: keyword propertyNames is not supported"},
      {R"({"dependentRequired": {}})", "schema: /: keyword dependentRequired is not supported"},
      {R"({"unevaluatedProperties": false})", "schema: /: keyword unevaluatedProperties is not supported"},
      {R"({"$dynamicRef": "#a"})", "schema: /: keyword $dynamicRef is not supported"},
      {R"({"typo": 1})", "schema: /: keyword typo is not supported"},
      {R"({"items": {"$id": "x"}})", "schema: /items: keyword $id is not supported"},
      {R"({"$ref": "#/$defs/a", "$defs": {"a": {"pattern": ""}}})",
       "schema: /$defs/a: keyword pattern is not supported"},
      {R"({"$ref": "#", "type": "object"})", "schema: /: keyword type beside $ref is not supported"},
      {R"({"anyOf": [true], "minLength": 1})", "schema: /: keyword minLength beside anyOf is not supported"},
      {R"({"enum": [{}], "required": ["a"]})",
       "schema: /: keyword required beside an enumerated list or object is not supported"},
  };
  for (const auto& [schema, error] : cases) CHECK(error_in(schema) == error);
}

TEST_CASE("what is no schema is refused, with its path") {
  const struct {
    const char* schema;
    const char* error;
  } cases[] = {
      {"", "schema: line 1, byte 1: ends too early for JSON"},
      {"{\"a\": 1e999}", "schema: has a number that is too large"},
      {"[]", "schema: /: is a list, expected a schema"},
      {R"({"properties": {"a": "string"}})", "schema: /properties/a: is a string, expected a schema"},
      {R"({"properties": []})", "schema: /: properties is a list, expected an object"},
      {R"({"type": "text"})",
       "schema: /: type is \"text\", expected null, boolean, integer, number, string, array or object"},
      {R"({"type": []})", "schema: /: type is an empty list"},
      {R"({"type": "string", "minLength": -1})",
       "schema: /: minLength is a number, expected a whole number from 0 to 1073741824"},
      {R"({"type": "array", "maxItems": 1e3})",
       "schema: /: maxItems is a number, expected a whole number from 0 to 1073741824"},
      {R"({"type": "integer", "minimum": "1"})", "schema: /: minimum is a string, expected a number"},
      {R"({"type": "integer", "exclusiveMinimum": true})",
       "schema: /: exclusiveMinimum is a boolean, expected a number"},
      {R"({"required": "a"})", "schema: /: required is a string, expected a list"},
      {R"({"required": [1]})", "schema: /: required has a number, expected strings"},
      {R"({"items": [{}]})", "schema: /items: is a list, expected a schema"},
      {R"({"enum": 1})", "schema: /: enum is a number, expected a list"},
      {R"({"anyOf": []})", "schema: /: anyOf is empty"},
      {R"({"type": "string", "nullable": 1})", "schema: /: nullable is a number, expected a boolean"},
      {R"({"$ref": "#/$defs/a"})", "schema: /: $ref \"#/$defs/a\" leads to nothing"},
      {R"({"$ref": "other.json"})",
       "schema: /: $ref \"other.json\" is not supported: expected one into this schema, as \"#/$defs/a\""},
  };
  for (const auto& [schema, error] : cases) CHECK(error_in(schema) == error);
}

TEST_CASE("a schema that nothing satisfies is refused") {
  for (const char* schema : {
           "false",
           R"({"$ref": "#"})",
           R"({"enum": []})",
           R"({"enum": [1], "type": "string"})",
           R"({"const": "abc", "maxLength": 2})",
           R"({"const": 5, "enum": [1, 2]})",
           R"({"type": "integer", "minimum": 2, "maximum": 1})",
           R"({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2})",
           R"({"type": "integer", "minimum": 1e30})",
           R"({"type": "string", "minLength": 2, "maxLength": 1})",
           R"({"type": "array", "items": false, "minItems": 1})",
           R"({"required": ["a"], "additionalProperties": false})",
           // Without an end.
           R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})",
           R"({"type": "array", "items": {"$ref": "#"}, "minItems": 1})",
       }) {
    CHECK_MESSAGE(error_in(schema) == "schema: /: no value that can be written satisfies it", schema);
  }
}

TEST_CASE("oneOf is served where its alternatives exclude each other") {
  const auto both = [](const std::string& a, const std::string& b) { return "{\"oneOf\": [" + a + ", " + b + "]}"; };
  const std::string cat =
      R"({"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind"]})";
  const std::string dog = R"({"type": "object", "properties": {"kind": {"const": "dog"}}, "required": ["kind"]})";
  CHECK(error_in(both(R"({"type": "string"})", R"({"type": "null"})")) == "no error");
  CHECK(error_in(both(R"({"enum": ["a", 1]})", R"({"enum": ["b", 2]})")) == "no error");
  CHECK(error_in(both(cat, dog)) == "no error");
  const std::string overlaps =
      "schema: /: keyword oneOf is not supported where alternatives may overlap: give each a required property with a "
      "const of its own, or use anyOf";
  CHECK(error_in(both(cat, R"({"type": "object"})")) == overlaps);
  CHECK(error_in(both(R"({"type": "integer"})", R"({"type": "number"})")) == overlaps);
  CHECK(error_in(both(R"({"enum": [1]})", R"({"enum": [1.0]})")) == overlaps);
  CHECK(error_in(both(R"({"type": "string"})", R"({"minimum": 3})")) == overlaps);  // Allows strings too.
  CHECK(error_in(both(R"({"type": "string"})", "true")) == overlaps);
  // A cat need not say its kind, and may then be a dog that does.
  CHECK(error_in(both(R"({"type": "object", "properties": {"kind": {"const": "cat"}}})", dog)) == overlaps);
}

TEST_CASE("a schema has limits on size, depth and alternatives") {
  CHECK(error_in("\"" + std::string(300000, 'a') + "\"") == "schema: 300002 bytes, at most 262144 are supported");
  CHECK(error_in(repeated("[", 3000)) == "schema: line 1, byte 65: nested deeper than 64 levels");
  CHECK(error_in("[" + repeated("1,", 30000) + "1]") == "schema: has more than 4096 keys or 20000 parts");
  std::string keys = "{\"x\": 1";
  for (int i = 0; i < 5000; ++i) keys += fmt::format(", \"{}\": 1", i);
  CHECK(error_in(keys + "}") == "schema: has more than 4096 keys or 20000 parts");
  std::string words = "\"w0\"";
  for (int i = 1; i <= 1000; ++i) words += fmt::format(",\"w{}\"", i);
  CHECK(error_in("{\"enum\": [" + words + "]}") == "schema: /: enum has 1001 values, at most 1000 are supported");
  const std::string object = R"({"type": "object", "properties": {"a": {}}})";
  CHECK(error_in("{\"anyOf\": [" + repeated(object + ",", 7) + object + "]}") == "no error");
  CHECK(error_in("{\"anyOf\": [" + repeated(object + ",", 8) + object + "]}") ==
        "schema: /: more than 8 alternatives begin alike, which is not supported");
  // Enumerations count once, and references to one place too.
  CHECK(error_in("{\"anyOf\": [" + repeated(R"({"const": "a"},)", 20) + "true]}") == "no error");
  CHECK(error_in("{\"$defs\": {\"a\": " + object + "}, \"anyOf\": [" + repeated(R"({"$ref": "#/$defs/a"},)", 20) +
                 "true]}") == "no error");
  // References that lead round and round, and long chains of them.
  CHECK(error_in(R"({"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}, {"type": "null"}]})") == "no error");
  std::string chain = "{\"$ref\": \"#/$defs/d0\", \"$defs\": {";
  for (int i = 0; i < 1500; ++i) chain += fmt::format("\"d{}\": {{\"$ref\": \"#/$defs/d{}\"}}, ", i, i + 1);
  CHECK(error_in(chain + "\"d1500\": true}}") == "no error");
}

TEST_CASE("each schema of a form has its name in errors") {
  AnswerForm form{.choices = {{"a", "true", "tool a"}, {"b", R"({"not": 1})", "tool b"}}};
  CHECK(error_of([&] { compile_form(form); }) == "tool b: /: keyword not is not supported");
}

TEST_CASE("allOf of one schema is that schema") {
  const auto grammar =
      grammar_of(R"({"type": "object", "properties": {"a": {"allOf": [{"type": "integer"}], "title": "A"}},
                                      "required": ["a"]})");
  CHECK(accepts(*grammar, "{\"a\":1}"));
  CHECK_FALSE(accepts(*grammar, "{\"a\":\"x\"}"));
  CHECK(error_in(R"({"allOf": [{"type": "integer"}, {"minimum": 1}]})") ==
        "schema: /: allOf of 2 schemas is not supported, expected one");
}

TEST_CASE("of a schema that is not strict, what is not supported is left out") {
  const auto loose = [](std::string schema) {
    return compile_form({.choices = {{.schema = std::move(schema), .is_strict = false}}});
  };
  const auto grammar = loose(R"({
    "type": "object", "not": {}, "propertyNames": {"type": "string"}, "required": ["mail", "list", "any", "both"],
    "additionalProperties": false, "anyOf": [{"required": ["mail"]}],
    "properties": {
      "mail": {"type": "string", "pattern": "@", "maxLength": 3},
      "list": {"type": "array", "uniqueItems": true, "items": {"type": "integer"}},
      "any": {"$ref": "elsewhere"},
      "both": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}})");
  CHECK(accepts(*grammar, R"({"mail":"a","list":[1,1],"any":{"x":[null]},"both":1.5})"));
  CHECK_FALSE(accepts(*grammar, R"({"mail":1,"list":[],"any":1,"both":1})"));
  CHECK_FALSE(accepts(*grammar, R"({"mail":"abcd","list":[],"any":1,"both":1})"));
  CHECK_FALSE(accepts(*grammar, R"({"mail":"a","list":["x"],"any":1,"both":1})"));
  CHECK_FALSE(accepts(*grammar, R"({"mail":"a","list":[],"any":1,"both":"x"})"));
  // A whole schema that cannot be read is that of any object.
  CHECK(accepts(*loose(R"({"type": "object", "minProperties": "x", "properties": 5})"), R"({"x":[1]})"));
  CHECK_FALSE(accepts(*loose(R"({"type": "object", "properties": 5})"), "1"));
  // More alternatives than can be followed.
  std::string many;
  for (int i = 0; i < 12; ++i)
    many += fmt::format(R"({}{{"type": "object", "properties": {{"p{}": {{}}}}}})", i > 0 ? "," : "", i);
  CHECK(accepts(*loose(R"({"type": "object", "properties": {"a": {"anyOf": [)" + many + "]}}}"), R"({"a":{"p3":1}})"));
}

}  // namespace tinyllm::test
