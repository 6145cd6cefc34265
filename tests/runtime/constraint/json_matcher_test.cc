#include <doctest/doctest.h>

#include "runtime/constraint/schemas.h"

#include <string>

namespace tinyllm::test {

namespace {

struct Case {
  const char* schema;
  std::vector<std::string> accepted;
  std::vector<std::string> refused;  // Not text, or not all of one.
};

std::string nested(const std::string& open, int times, const std::string& close) {
  std::string text;
  for (int i = 0; i < times; ++i) text += open;
  for (int i = 0; i < times; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("texts keep to a schema or not") {
  const std::vector<Case> cases = {
      {R"({"type": "null"})", {"null"}, {"", "nul", "nullx", " null", "null "}},
      {R"({"type": "boolean"})", {"true", "false"}, {"True", "tru"}},
      {R"({"enum": ["a", "ab", "元", 1, 10, 1.5, null, {"x": [1]}]})",
       {"\"a\"", "\"ab\"", "\"元\"", "1", "10", "1.5", "null", "{\"x\":[1]}"},
       {"\"b\"", "\"abc\"", "100", "{\"x\": [1]}", "1.", "\"\\u5143\""}},
      // Integers
      {R"({"type": "integer"})",
       {"0", "-1", "123456789012345", "7"},
       {"-0", "01", "1.0", "1e2", "-", "1234567890123456", "+1"}},
      {R"({"type": "integer", "minimum": 5, "maximum": 120})",
       {"5", "9", "10", "99", "100", "120"},
       {"4", "1", "121", "-5", "130", "05", "1000"}},
      {R"({"type": "integer", "minimum": -12, "exclusiveMaximum": -3})", {"-12", "-4"}, {"-3", "-13", "0", "-1", "4"}},
      {R"({"type": "integer", "minimum": 0.5, "maximum": 2.5})", {"1", "2"}, {"0", "3"}},
      {R"({"type": "integer", "exclusiveMinimum": 1, "minimum": 1, "maximum": 3})", {"2", "3"}, {"1"}},
      // Numbers
      {R"({"type": "number"})",
       {"0", "-0", "-0.5", "1.25e-3", "1E+05", "1234567890123456.1234567890123456e99", "0e0"},
       {".5", "1.", "1e", "01", "1e100", "-", "12345678901234567", "0.12345678901234567", "1e+", "NaN"}},
      {R"({"type": "number", "minimum": 0, "maximum": 1})",
       {"0", "1", "0.5", "1.0", "0.123456", "1.000000", "0.000001"},
       {"1.1", "1.000001", "-0.1", "2", "0.1234567", "1e0", "0.", "00"}},
      {R"({"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.3})",
       {"0.2", "0.100001", "0.299999", "0.11"},
       {"0.1", "0.3", "0.100000", "0.30", "0"}},
      {R"({"type": "number", "minimum": -1.5, "maximum": -0.25})",
       {"-1.5", "-1", "-0.25", "-0.9"},
       {"0", "-0.2", "-2", "-1.6"}},
      // Strings
      {R"({"type": "string"})",
       {"\"\"", "\"a b\"", "\"元é😀\"", R"("\"\\\b\f\n\r\t")", R"("\u5143\ud83d\uDE00")", "\"\x7F\"", R"("\u0000")"},
       {"\"",
        "\"a",
        "a",
        "\"\n\"",
        "\"\t\"",
        R"("\/")",
        R"("\x")",
        R"("\u12g4")",
        R"("\ud83d")",
        R"("\ud83d\n")",
        R"("\ud83d\u0041")",
        R"("\udc00")",
        "\"\xC3\"",
        "\"\xC3(\"",
        "\"\xED\xA0\x80\"",
        "\"\xC0\x80\"",
        "\"\xE0\x80\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xFF\"",
        "\"\x80\""}},
      {R"({"type": "string", "minLength": 2, "maxLength": 3})",
       {"\"ab\"", "\"元é😀\"", R"("\n\ud83d\ude00")", "\"abc\""},
       {"\"\"", "\"a\"", "\"abcd\"", "\"元é😀x\"", R"("\ud83d\ude00")", R"("abc\n")"}},
      // Lists
      {R"({"type": "array", "items": {"type": "integer"}})",
       {"[]", "[1]", "[1,2,-3]", "[ 1, 2 ]", "[\n  1,\n  2\n]", "[ ]"},
       {"[,]", "[1,]", "[1 ,2]", "[1,  2]", "[1\n\n]", "[\"a\"]", "[1", "[1 2]", "[\t1]"}},
      {R"({"type": "array", "items": true, "minItems": 1, "maxItems": 2})",
       {"[1]", "[[],{}]"},
       {"[]", "[1,2,3]", "[1,2,"}},
      {R"({"prefixItems": [{"type": "null"}, {"const": 1}], "items": {"type": "boolean"}})",
       {"[]", "[null]", "[null,1]", "[null,1,true,false]"},
       {"[1]", "[null,true]", "[null,1,1]"}},
      {R"({"prefixItems": [{"type": "null"}], "items": false})", {"[]", "[null]"}, {"[null,", "[null,null]"}},
      // Objects
      {R"({"type": "object", "properties": {"a": {"type": "integer"}, "ab": {"type": "null"}, "c": true}, "required": ["ab"]})",
       {R"({"a":1,"ab":null,"c":[]})", R"({"ab":null})", R"({ "a": 1, "ab": null })", "{\n \"ab\": null\n}"},
       {"{}", R"({"a":1})", R"({"c":1})", R"({"ab":null,"a":1})", R"({"ab":null,"d":1})", R"({"ab":null,})",
        R"({"ab" :null})", R"({"a":1,"a":1,"ab":null})", R"({"abc)", R"({"a":1 ,"ab":null})"}},
      {R"({"properties": {"a": {"type": "null"}, "b": false}, "required": ["a"], "additionalProperties": false})",
       {R"({"a":null})"},
       {R"({"a":null,)", R"({"b)"}},
      {R"({"type": "object", "additionalProperties": {"type": "integer"}})",
       {"{}", R"({"x":1,"":2})", R"({"\n元":1})"},
       {R"({"x":"1"})", R"({"x":1,})", R"({x:1})"}},
      {R"({"required": ["x"], "additionalProperties": {"type": "null"}})", {R"({"x":null})"}, {"{}", R"({"y":null})"}},
      {R"({"properties": {"x \"y\"": {"type": "null"}}})", {R"({"x \"y\"":null})"}, {R"({"x "y"":null})"}},
      // Alternatives
      {R"({"type": ["string", "null"], "maxLength": 1})", {"null", "\"a\""}, {"1", "\"ab\""}},
      {R"({"type": "string", "nullable": true})", {"null", "\"a\""}, {"true"}},
      {R"({"anyOf": [{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
                     {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "null"}}, "required": ["b"]},
                     {"enum": ["x", 1]}, {"type": "string", "minLength": 3}]})",
       {R"({"a":null})", R"({"a":1,"b":null})", R"({"b":null})", "\"x\"", "1", "\"xyz\""},
       {R"({"a":null,"b":null})", R"({"a":1})", "\"xy\"", "12"}},
      // Recursion
      {R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer"},
           "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}}, "required": ["v", "next"]}}})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
       {R"({"v":1,"next":{"v":2}})", R"({"v":1})"}},
      {"true", {"1", "{\"a\":[true,{\"\":null}]}", "\"x\""}, {"", "[", "nul"}},
      {R"({"type": "object"})", {"{}", nested("{\"a\":", 31, "").append("{}") + std::string(31, '}')}, {"[]", "1"}},
      // Annotations, and keywords about other types, mean nothing.
      {R"({"title": "t", "description": "d", "default": 3, "examples": [1], "format": "date", "$comment": "c", "x-y": 1,
           "type": "null", "minimum": 3, "properties": {"a": false}, "uniqueItems": false})",
       {"null"},
       {"3"}},
  };
  for (const Case& c : cases) {
    const auto grammar = grammar_of(c.schema);
    for (const std::string& text : c.accepted) CHECK_MESSAGE(accepts(*grammar, text), c.schema << "\n" << text);
    for (const std::string& text : c.refused) CHECK_MESSAGE(!accepts(*grammar, text), c.schema << "\n" << text);
  }
}

TEST_CASE("what is refused is refused at the first byte after which there is no answer") {
  const auto at = [](const char* schema, const std::string& text) { return kept(*grammar_of(schema), text); };
  CHECK(at(R"({"type": "string", "maxLength": 2})", "\"abc\"") == 3);
  CHECK(at(R"({"type": "integer", "minimum": 25, "maximum": 120})", "24") == 1);
  CHECK(at(R"({"type": "integer", "minimum": 25, "maximum": 120})", "130") == 1);
  CHECK(at(R"({"enum": ["abc", "abd"]})", "\"abx") == 3);
  CHECK(at(R"({"properties": {"abc": true}, "required": ["abc"]})", "{\"abd") == 4);
  CHECK(at(R"({"type": "null"})", "null\n") == 4);
}

TEST_CASE("white space cannot go on") {
  const auto grammar = grammar_of(R"({"type": "array", "items": {"type": "object", "additionalProperties": {}}})");
  CHECK(accepts(*grammar, "[\n" + std::string(20, ' ') + "{ \"a\":\n  1 }\n]"));
  CHECK(kept(*grammar, "[\n" + std::string(30, ' ')) == 22);
  CHECK(kept(*grammar, "[  ") == 2);
  CHECK(kept(*grammar, "[ \n") == 2);
  CHECK(kept(*grammar, "[\n\n") == 2);
  CHECK(kept(*grammar, "[{}\n ,") == 5);
}

TEST_CASE("lists and objects nest 32 deep") {
  const auto any = grammar_of("true");
  CHECK(accepts(*any, nested("[", 32, "]")));
  CHECK(kept(*any, std::string(33, '[')) == 32);
  // An object that must have another one within it needs room for both.
  const auto pairs =
      grammar_of(R"({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"$ref": "#"},
      "c": {"type": "null"}}, "required": ["c"]}}, "required": ["a"]})");
  std::string text;
  for (int i = 0; i < 16; ++i) text += i < 15 ? R"({"a":{"b":)" : R"({"a":{)";
  CHECK(kept(*pairs, text + "\"b") == text.size() + 1);
  text += "\"c\":null}}";
  for (int i = 0; i < 15; ++i) text += ",\"c\":null}}";
  CHECK(accepts(*pairs, text));
}

TEST_CASE("a form has free text, beginnings and an end around its value") {
  AnswerForm form{.free = {{.until = "aab"}},
                  .choices = {{"<x>", R"({"type": "integer"})"}, {"<yy>", R"({"type": "null"})"}},
                  .end = "</>"};
  auto grammar = compile_form(form);
  CHECK(accepts(*grammar, "aab<x>12</>"));
  CHECK(accepts(*grammar, "anything aaaab<yy>null</>"));
  CHECK(kept(*grammar, "free aab<x>null") == 11);
  CHECK(kept(*grammar, "free") == 4);
  CHECK(kept(*grammar, "aab<x>1</> ") == 10);
  form.may_end_in_free = true;
  grammar = compile_form(form);
  CHECK(accepts(*grammar, "free"));
  CHECK(accepts(*grammar, ""));
  CHECK_FALSE(accepts(*grammar, "free aab"));
}

TEST_CASE("a free part with a beginning may be left out") {
  const auto grammar = compile_form(
      {.free = {{"【推理】\n", "【答案】\n", 0}, {"<think>", "</think>", 2}}, .choices = {{.schema = "true"}}});
  for (const char* text :
       {"12", "【推理】\n{【答案】\n[]", "<think>【答案】\n1</think>\n\n{}", "<think></think>\"\""}) {
    CHECK_MESSAGE(accepts(*grammar, text), text);
  }
  CHECK(kept(*grammar, "think") == 1);  // As "true" begins.
  CHECK(kept(*grammar, "\n1") == 0);
  CHECK(kept(*grammar, "【推理】\n【答案】\n\n") == std::string("【推理】\n【答案】\n").size());
  CHECK(kept(*grammar, "<think></think>\n\n\n") == 17);
  CHECK(kept(*grammar, "<think>{}") == 9);
}

TEST_CASE("the shortest closing is that of the shortest text") {
  const auto closing = [](const char* schema, const std::string& text) {
    const auto grammar = grammar_of(schema);
    const JsonMatcher matcher(*grammar);
    JsonState state = matcher.begin(), next;
    for (const char byte : text) {
      REQUIRE(matcher.read(state, static_cast<unsigned char>(byte), next));
      std::swap(state, next);
    }
    return matcher.shortest(state);
  };
  const char* object =
      R"({"type": "object", "properties": {"a": {"type": "string", "minLength": 2}, "b": {"enum": [10, 200]},
      "c": {"type": "array", "items": {"type": "boolean"}, "minItems": 2}}, "required": ["a", "c"]})";
  CHECK(closing(object, "") == std::ssize(std::string(R"({"a":"xx","c":[true,true]})")));
  CHECK(closing(object, R"({"a":"x)") == std::ssize(std::string(R"(x","c":[true,true]})")));
  CHECK(closing(object, R"({"a":"xx","b)") == std::ssize(std::string(R"(":10,"c":[true,true]})")));
  CHECK(closing(object, R"({"a":"xx","b":2)") == std::ssize(std::string(R"(00,"c":[true,true]})")));
  CHECK(closing(object, R"({"a":"xx",)") == std::ssize(std::string(R"("c":[true,true]})")));
  CHECK(closing(object, R"({"a":"xx","c":[f)") == std::ssize(std::string("alse,true]}")));
  CHECK(closing("true", "[[{\"a\":{\"b") == std::ssize(std::string("\":0}}]]")));
  CHECK(closing("true", "\"\\") == 2);
  CHECK(closing("true", "\"\\ud8") == std::ssize(std::string("00\\udc00\"")));
  CHECK(closing("true", "\"\xF0") == 4);
  CHECK(closing(R"({"type": "number", "minimum": 12.25, "maximum": 12.5})", "1") == std::ssize(std::string("2.3")));
  CHECK(closing(R"({"type": "integer", "minimum": -1500, "maximum": -1000})", "-") == 4);
}

}  // namespace tinyllm::test
