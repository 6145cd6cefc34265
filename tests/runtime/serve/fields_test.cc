#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/fields.h>

#include <set>

namespace tinyllm::test {
namespace {

// "code param", or "" when nothing is wrong.
std::string wrong(Endpoint endpoint, const std::string& body) {
  try {
    Fields(endpoint, body);
  } catch (const ApiError& error) {
    return error.code() + " " + error.param();
  }
  return "";
}

}  // namespace

TEST_CASE(
    "a field of the wrong type or out of its range is named; null is as missing, unknown ones are not looked at") {
  const auto chat = [](const std::string& more) { return wrong(kChat, "{\"messages\":[]" + more + "}"); };
  CHECK(chat("") == "");
  CHECK(wrong(kChat, "{}") == "missing_required_parameter messages");
  CHECK(wrong(kChat, "{\"messages\":null}") == "missing_required_parameter messages");
  CHECK(wrong(kChat, "[]") == "invalid_type ");
  CHECK(wrong(kChat, "{") == "invalid_json ");
  CHECK(chat(",\"temperature\":null,\"n\":null,\"tools\":null,\"x\":{\"y\":[1]}") == "");
  CHECK(chat(",\"temperature\":\"hot\"") == "invalid_type temperature");
  CHECK(chat(",\"temperature\":2.5") == "invalid_value temperature");
  CHECK(chat(",\"temperature\":2") == "");
  CHECK(chat(",\"n\":1.5") == "invalid_type n");
  CHECK(chat(",\"n\":2.0") == "");
  CHECK(chat(",\"n\":129") == "invalid_value n");
  CHECK(chat(",\"seed\":-9223372036854775808") == "");
  CHECK(chat(",\"seed\":9223372036854775807") == "");
  CHECK(chat(",\"seed\":9223372036854775808") == "invalid_value seed");
  CHECK(chat(",\"seed\":1e30") == "invalid_value seed");
  CHECK(chat(",\"seed\":9223372036854775808.0") == "invalid_value seed");
  CHECK(chat(",\"seed\":18446744073709551615") == "invalid_value seed");
  // What a float rounds to 0 is 0.
  CHECK(chat(",\"top_p\":1e-50") == "invalid_value top_p");
  CHECK(chat(",\"repetition_penalty\":1e-39") == "invalid_value repetition_penalty");
  CHECK(chat(",\"temperature\":1e-50,\"min_p\":1e-60,\"repetition_penalty\":0.01") == "");
  CHECK(chat(",\"stop\":[\"a\",1]") == "invalid_type stop");
  CHECK(chat(",\"stop\":{}") == "invalid_type stop");
  CHECK(chat(",\"calculator\":true,\"self_consistency\":{}") == "");
  CHECK(chat(",\"self_consistency\":false") == "invalid_type self_consistency");
  CHECK(wrong(kCompletions, "{\"prompt\":\"a\",\"calculator\":true}") == "unsupported_parameter calculator");
  CHECK(wrong(kCompletions, "{\"prompt\":\"a\",\"self_consistency\":false}") == "");
  CHECK(chat(",\"calculator\":false,\"functions\":[]") == "");
  CHECK(wrong(kCompletions, "{\"prompt\":\"a\",\"suffix\":\"b\"}") == "unsupported_parameter suffix");
  CHECK(wrong(kMessages, "{\"messages\":[]}") == "missing_required_parameter max_tokens");
}

TEST_CASE("the fields of an object within a body are named with it") {
  const auto vote = [](const std::string& text) -> std::string {
    try {
      const Fields fields(kSelfConsistency, Json::parse(text), "self_consistency");
      return fmt::format("{} {} {}", fields.whole("samples"), fields.number("confidence"),
                         fields.flag("return_chains"));
    } catch (const ApiError& error) {
      return error.what();
    }
  };
  CHECK(vote("{}") == "5 1 false");
  CHECK(vote(R"({"samples": 3.0, "confidence": 0.9, "return_chains": true, "model": 1})") == "3 0.9 true");
  CHECK(vote(R"({"samples": 0})") == "self_consistency.samples: 0, expected 1 to 128");
  CHECK(vote(R"({"samples": 1000000})") == "self_consistency.samples: 1000000, expected 1 to 128");
  CHECK(vote(R"({"samples": "5"})") == "self_consistency.samples: is a string, expected an integer");
  CHECK(vote(R"({"confidence": 0.5})") ==
        "self_consistency.confidence: 0.5, expected a number above 0.5 and at most 1");
}

TEST_CASE("a missing field has its default, which is OpenAI's") {
  const Fields fields(kChat, R"({"messages":[],"stop":"a","top_k":3.0})");
  CHECK(fields.number("temperature") == 1);
  CHECK(fields.number("top_p") == 1);
  CHECK(fields.whole("n") == 1);
  CHECK(fields.whole("max_tokens") == -1);
  CHECK(fields.whole("top_k") == 3);
  CHECK_FALSE(fields.flag("stream"));
  CHECK(fields.texts("stop") == std::vector<std::string>{"a"});
  CHECK(fields.find("seed") == nullptr);
}

TEST_CASE("numbers of tokens have no upper end, and seeds have all of 64 bits") {
  for (const char* many : {"1e300", "18446744073709551615", "9223372036854775807"}) {
    const Fields fields(kChat, fmt::format(R"({{"messages":[],"max_tokens":{},"top_k":{}}})", many, many));
    CHECK(fields.whole("max_tokens") >= 1'000'000'000'000);
    CHECK(fields.whole("top_k") >= 1'000'000'000'000);
  }
  for (const int64_t seed : {INT64_MIN, int64_t{-1}, INT64_MAX}) {
    CHECK(Fields(kChat, fmt::format(R"({{"messages":[],"seed":{}}})", seed)).whole("seed") == seed);
  }
  CHECK(Fields(kChat, R"({"messages":[],"seed":-1e18})").whole("seed") == -1'000'000'000'000'000'000);
  CHECK(Fields(kChat, R"({"messages":[],"seed":9e18})").whole("seed") == 9'000'000'000'000'000'000);
}

TEST_CASE("every default is a value that its own row accepts, and no endpoint has two rows of a name") {
  std::set<std::pair<unsigned, std::string>> seen;
  for (const Field& field : all_fields()) {
    CAPTURE(field.name);
    CHECK(std::string_view(field.meaning).ends_with('.'));
    for (const Endpoint endpoint : {kChat, kCompletions, kEmbeddings, kResponses, kMessages, kTokenize, kDetokenize}) {
      if ((field.endpoints & endpoint) == 0) continue;
      CHECK(seen.emplace(endpoint, field.name).second);
      if (field.fallback == nullptr || *field.fallback == '\0') continue;
      Json body = {{field.name, Json::parse(field.fallback)}};
      for (const Field& other : all_fields()) {
        if (other.fallback != nullptr || (other.endpoints & endpoint) == 0) continue;
        body[other.name] = other.type == Field::Type::list    ? Json::array()
                           : other.type == Field::Type::whole ? Json(1)
                                                              : Json("a");
      }
      CHECK(wrong(endpoint, body.dump()) == "");
    }
  }
}

}  // namespace tinyllm::test
