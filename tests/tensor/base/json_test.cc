#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include "error_of.h"
#include "temp_folder.h"

namespace tinyllm::test {
namespace {

std::string parse_error_of(const std::string& text) {
  return error_of([&] { parse_json(text, "x"); });
}

template <class T>
std::string value_error_of(const char* json) {
  return error_of([&] {
    T value{};
    read_field(parse_json(json, "x"), "f", value);
  });
}

std::string nested(int levels) {
  return std::string(static_cast<size_t>(levels), '[') + std::string(static_cast<size_t>(levels), ']');
}

}  // namespace

TEST_CASE("errors of parsing name line and byte") {
  CHECK(parse_error_of("{\n \"a\": x}") == "x: line 2, byte 7: is not JSON");
  CHECK(parse_error_of("") == "x: line 1, byte 1: ends too early for JSON");
  CHECK(parse_error_of("{\"a\":") == "x: line 1, byte 6: ends too early for JSON");
  CHECK(parse_error_of("\"\xff\"") == "x: line 1, byte 2: is not JSON");
  CHECK(parse_error_of("[1e999]") == "x: has a number that is too large");
  CHECK(parse_error_of("\"" + std::string(100000, 'a') + "\\x\"").size() < 60);
}

TEST_CASE("nesting is limited, brackets inside of strings are text") {
  CHECK_NOTHROW(parse_json(nested(kMaxJsonDepth), "x"));
  CHECK(parse_error_of(nested(kMaxJsonDepth + 1)) == "x: line 1, byte 65: nested deeper than 64 levels");
  CHECK(parse_error_of(std::string(1000000, '{')) == "x: line 1, byte 65: nested deeper than 64 levels");
  const std::string text = "\"\\\"" + std::string(1000, '[') + "\"";
  CHECK(parse_json(text, "x").get<std::string>().size() == 1001);
  CHECK_NOTHROW(parse_json("[" + std::string(1000, ' ') + "[],[],[]]", "x"));
}

TEST_CASE("fields of another type are named, with what they are") {
  CHECK(value_error_of<int64_t>(R"({})") == "field f: missing");
  CHECK(value_error_of<int64_t>(R"({"f":null})") == "field f: missing");
  CHECK(value_error_of<int64_t>(R"({"f":"16"})") == "field f: is \"16\", expected a whole number");
  CHECK(value_error_of<int64_t>(R"({"f":1.5})") == "field f: is 1.5, expected a whole number");
  CHECK(value_error_of<int64_t>(R"({"f":18446744073709551615})") ==
        "field f: is 18446744073709551615, expected a whole number");
  CHECK(value_error_of<bool>(R"({"f":1})") == "field f: is 1, expected true or false");
  CHECK(value_error_of<float>(R"({"f":1e39})") == "field f: is 1e+39, expected at most 3.4e38");
  CHECK(value_error_of<float>(R"({"f":-1e39})") == "field f: is -1e+39, expected at most 3.4e38");
  CHECK(value_error_of<float>(R"({"f":[1,2]})") == "field f: is [1,2], expected a number");
  CHECK(value_error_of<std::string>(R"({"f":{"a":1}})") == "field f: is an object, expected a string");
  CHECK(value_error_of<std::vector<std::string>>(R"({"f":["a",1]})") == "field f: is 1, expected strings in the list");
  CHECK(value_error_of<int64_t>(R"({"f":-9223372036854775808})") == "no error");
  CHECK(value_error_of<float>(R"({"f":3})") == "no error");
}

TEST_CASE("what messages show is short, whatever it is") {
  CHECK(shown(Json(std::vector<int>(1000, 5))) == "a list");
  CHECK(shown(Json(std::string(1000, 'x'))).size() < 50);
  CHECK(shown(Json("\xff\x1b")) == "\"\uFFFD\\u001b\"");
  CHECK(short_name("blocks.0.weight") == "blocks.0.weight");
  CHECK(short_name("a\nb\xff") == "a\\nb\uFFFD");
  CHECK(short_name(std::string(1000, 'x')).size() < 110);
}

TEST_CASE("an object is read from a file of limited size") {
  const TempFolder folder;
  write_file(folder / "x", R"({"a": 1})");
  CHECK(load_json_object(folder / "x")["a"] == 1);
  CHECK(error_of([&] { load_json_object(folder / "x", 7); }).ends_with("x: has 8 bytes, expected at most 7"));
  write_file(folder / "x", "[]");
  CHECK(error_of([&] { load_json_object(folder / "x"); }).ends_with("x: is a list, expected a JSON object"));
}

}  // namespace tinyllm::test
