#include <doctest/doctest.h>

#include <tinyllm/tensor/base/json_repair.h>

#include <string>

namespace tinyllm::test {

TEST_CASE("numbers that a parser may refuse become 0, and no others") {
  const struct {
    std::string json;
    std::string repaired;
  } cases[] = {
      {R"({"a":23389731417381195,"b":-18446744073709551})", R"({"a":0                ,"b":0                 })"},
      {"[1e400, -1E-400, 1E+2, 0.1000000000000000]", "[0    , 0      , 0   , 0                 ]"},
      {"[NaN, Infinity, -Infinity]", "[0  , 0       , 0        ]"},
      {"[7, -0, 0.5, 123456789012345]", "[7, -0, 0.5, 123456789012345]"},
      {R"(["1e400", "NaN", "\"-1e400"])", R"(["1e400", "NaN", "\"-1e400"])"},
      // These are not JSON, and stay so.
      {"[01, 1., .5, +1, 1e, -, 1e+, 00000000000000000001]", "[01, 1., .5, +1, 1e, -, 1e+, 00000000000000000001]"},
      {R"({"text": "cut 1e400)", R"({"text": "cut 1e400)"},
      {"[1e400", "[0    "},
      {"", ""},
  };
  for (const auto& c : cases) CHECK(repair_json(c.json) == c.repaired);
}

TEST_CASE("half of a surrogate pair becomes U+FFFD, and whole pairs stay") {
  const struct {
    std::string json;
    std::string repaired;
  } cases[] = {
      {R"("\ud83d\ude00")", R"("\ud83d\ude00")"},
      {R"("a\ud83d b")", R"("a\ufffd b")"},
      {R"("\uDE00\uD83D")", R"("\ufffd\ufffd")"},
      {R"("\ud83d\ud83d\ude00")", R"("\ufffd\ud83d\ude00")"},
      {R"("\\ud83d")", R"("\\ud83d")"},
      {R"("\ud83d\n")", R"("\ufffd\n")"},
      {R"("\ud83")", R"("\ud83")"},
      {R"("\ud83d)", R"("\ufffd)"},
      {R"("\)", R"("\)"},
  };
  for (const auto& c : cases) CHECK(repair_json(c.json) == c.repaired);
}

}  // namespace tinyllm::test
