#include <doctest/doctest.h>

#include <tinyllm/runtime/constraint/json_constraint.h>
#include <tinyllm/runtime/generate.h>

#include "error_of.h"
#include "runtime/constraint/json_validator.h"
#include "runtime/constraint/random_schema.h"
#include "runtime/constraint/schemas.h"
#include "runtime/constraint/table_tokenizer.h"
#include "runtime/model_to_ask.h"

namespace tinyllm::test {
namespace {

const TableTokenizer& table() {
  static const TableTokenizer tokenizer;
  return tokenizer;
}

JsonConstraints& constraints() {
  static JsonConstraints all(table(), table().size());
  return all;
}

// An answer drawn from random logits, which is how a model that knows nothing would end up.
struct Drawn {
  std::string text;
  bool has_ended = false;  // By an end token.
  int64_t tokens = 0;
};
Drawn draw(const TableTokenizer& tokenizer, Constraint constraint, uint64_t seed, int64_t max_tokens) {
  Sampler sampler({.temperature = 2, .seed = seed}, tokenizer.size());
  Random random(seed, 7);
  std::vector<int32_t> answer;
  while (std::ssize(answer) < max_tokens) {
    std::vector<float> logits(static_cast<size_t>(tokenizer.size()));
    for (float& logit : logits) logit = static_cast<float>(6 * random.uniform());
    const NextTokens next = constraint(answer);
    const int32_t token = sampler.next(logits, answer, answer, next.allowed);
    if (tokenizer.is_end(token)) return {tokenizer.decode(answer), true, std::ssize(answer)};
    answer.push_back(token);
  }
  return {tokenizer.decode(answer), false, std::ssize(answer)};
}

std::vector<int32_t> allowed(Constraint& constraint, std::string_view answer) {
  std::vector<int32_t> tokens;
  const NextTokens next = constraint(table().encode(answer));
  for (int32_t token = 0; token < table().size(); ++token) {
    if ((*next.allowed)[static_cast<size_t>(token)]) tokens.push_back(token);
  }
  return tokens;
}

std::string allowed_text(Constraint& constraint, std::string_view answer) {
  std::string text;
  for (const int32_t token : allowed(constraint, answer)) text += table().decode({&token, 1}) + "|";
  return text;
}

}  // namespace

TEST_CASE("answers from random logits validate, for any seed") {
  int ended = 0, answers = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    const std::string schema = RandomSchema(i + 100000).make().dump();
    Constraint constraint;
    if (error_of([&] { constraint = constraints().make(form_of(schema), 200); }) != "no error") continue;
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const Drawn drawn = draw(table(), constraint, seed, 200);
      const nlohmann::json value = nlohmann::json::parse(drawn.text, nullptr, false);
      const std::string why = why_invalid(nlohmann::json::parse(schema), value);
      CHECK_MESSAGE((!value.is_discarded() && why.empty()), schema << "\n" << drawn.text << "\n" << why);
      ended += drawn.has_ended ? 1 : 0;
      ++answers;
    }
  }
  CHECK(answers > 1500);
  CHECK(ended > answers / 2);
}

TEST_CASE("with close_within an answer is whole at every limit, and no limit that suffices is refused") {
  struct Case {
    std::string schema;
    int64_t table, bytes, long_pieces;  // The fewest tokens of an answer, in each vocabulary.
  };
  const TableTokenizer only_bytes(std::vector<std::string>{});
  const TableTokenizer long_pieces({"{\"steps\":[\"", "\"],\"answer\":", "},", "{\"a\":1}", "[{\"a\"", "unused piece"});
  const Case cases[] = {
      // Whole: {"steps":["}}}"],"answer":100}. With the table: {" s t e p s ":[ "} }} "] , "a n s w e r ": 1 00 }
      {R"({"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 1},
          "answer": {"type": "integer", "minimum": 100}, "unit": {"enum": ["元", "metres"]}}, "required": ["steps", "answer"]})",
       21, 30, 9},
      {R"({"anyOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
                    {"type": "array", "items": {"$ref": "#"}, "minItems": 2, "maxItems": 3}, {"type": "number", "minimum": 0.25}]})",
       1, 1, 1},
      {R"({"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]})", 4, 7, 1},
      {"true", 1, 1, 1}};
  for (const Case& one : cases) {
    const auto grammar = grammar_of(one.schema);
    const auto check = [&](const TableTokenizer& tokenizer, int64_t least) {
      const JsonConstraints all(tokenizer, tokenizer.size());
      const auto make = [&](int64_t limit) { return all.make(form_of(one.schema), limit); };
      if (least > 1) {
        CHECK(error_of([&] { make(least - 1); }) ==
              fmt::format("constraint: the shortest answer needs {} tokens, and at most {} are allowed", least,
                          least - 1));
      }
      for (int64_t limit = least; limit < least + 50; ++limit) {
        for (uint64_t seed = 0; seed < 4; ++seed) {
          const Drawn drawn = draw(tokenizer, make(limit), seed, limit);
          CHECK(drawn.tokens <= limit);
          CHECK_MESSAGE(accepts(*grammar, drawn.text), one.schema << "\n" << drawn.text);
        }
      }
    };
    check(table(), one.table);
    check(only_bytes, one.bytes);
    check(long_pieces, one.long_pieces);
  }
}

TEST_CASE("the last tokens write whole pieces, and a call ends with its marker as one token") {
  // {"name": "f", "arguments": {}} between two markers.
  const AnswerForm form{
      .choices = {{.begin = "<call>{\"name\": \"f\", \"arguments\": ", .schema = R"({"type": "object"})"}},
      .end = "}<call>"};
  const TableTokenizer tokenizer({"{\"name\": \"f\", \"arguments\": ", "{}}"});
  const JsonConstraints all(tokenizer, tokenizer.size());
  CHECK(error_of([&] { all.make(form, 3); }) ==
        "constraint: the shortest answer needs 4 tokens, and at most 3 are allowed");
  for (int64_t limit = 4; limit < 12; ++limit) {
    const Drawn drawn = draw(tokenizer, all.make(form, limit), 1, limit);
    CHECK(accepts(*compile_form(form), drawn.text));
  }
}

TEST_CASE("a complete answer is followed by the end token alone, and markers are no text") {
  Constraint constraint = constraints().make(form_of(R"({"type": "string"})"));
  CHECK(allowed(constraint, "\"a\"") == std::vector<int32_t>{TableTokenizer::kEnd});
  const std::vector<int32_t> inside = allowed(constraint, "\"a");
  const auto has = [&](int32_t token) { return std::find(inside.begin(), inside.end(), token) != inside.end(); };
  CHECK(has(table().encode("z")[0]));
  CHECK(has(table().encode("<")[0]));
  CHECK_FALSE(has(TableTokenizer::kMarker));
  CHECK_FALSE(has(TableTokenizer::kPad));
  CHECK_FALSE(has(TableTokenizer::kEnd));
  constraint = constraints().make(form_of(R"({"type": "integer", "minimum": 10, "maximum": 20})"));
  CHECK(allowed_text(constraint, "") == "1|2|12|");
  CHECK(allowed_text(constraint, "2") == "0|");
  CHECK(allowed_text(constraint, "20") == "|");
}

TEST_CASE("free text goes on to its marker, and no token reaches over it into something else") {
  Constraint constraint =
      constraints().make({.free = {{.until = "<call>"}}, .choices = {{.schema = R"({"type": "object"})"}}});
  const auto may = [&](std::string_view answer, std::string_view bytes) {
    for (const int32_t token : allowed(constraint, answer)) {
      if (table().decode({&token, 1}) == bytes) return true;
    }
    return false;
  };
  CHECK(may("", "\xFF"));
  CHECK(may("some text", "<call>"));  // The marker as one token.
  CHECK(may("some text", "<call>{"));
  CHECK_FALSE(may("some text", ""));  // It cannot end here.
  CHECK(may("so <call", ">"));
  CHECK_FALSE(may("so <call>", "x"));
  CHECK(may("so <call>", "{\""));
  constraint = constraints().make({.free = {{.until = "<call>"}}, .choices = {{.schema = R"({"type": "null"})"}}});
  CHECK_FALSE(may("some text", "<call>{"));
  CHECK(may("some text", "<call>"));
  constraint =
      constraints().make({.free = {{.until = "<call>"}}, .may_end_in_free = true, .choices = {{.schema = "true"}}});
  CHECK(may("some text", ""));
  CHECK_FALSE(may("some text<call>", ""));
}

TEST_CASE("a constraint depends on the answer alone: in any order of questions, after copies, and with a full cache") {
  const AnswerForm form = form_of(R"({"type": "object", "additionalProperties": {"type": ["integer", "string"]}})");
  Constraint constraint = constraints().make(form);
  const std::string answers[] = {"{\"a\":1", "{", "{\"a\":\"x", "", "{\"a\":1}", "{\"a\":1,"};
  std::vector<std::string> first;
  for (const std::string& answer : answers) {
    Constraint fresh = constraints().make(form);
    first.push_back(allowed_text(fresh, answer));
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t i = std::size(answers); i-- > 0;) CHECK(allowed_text(constraint, answers[i]) == first[i]);
    Constraint copy = constraint;
    CHECK(allowed_text(copy, answers[2]) == first[2]);
    // More forms than are kept.
    for (int i = 0; i < 70; ++i) constraints().make(form_of(fmt::format("{{\"const\": {}}}", i)));
  }
  CHECK(error_of([&] { constraint(table().encode("{1")); }) == "constraint: token 1 of the answer does not keep to it");
}

TEST_CASE("a vocabulary without a token for each byte is refused") {
  class NoBrace final : public Tokenizer {
   public:
    int64_t size() const override { return table().size(); }
    uint64_t hash() const override { return 0; }
    std::string decode(std::span<const int32_t> tokens) const override {
      return tokens[0] == 3 + '{' ? "" : table().decode(tokens);
    }
    std::string_view piece(int32_t token) const override { return table().piece(token); }
    std::optional<int32_t> special(std::string_view) const override { return std::nullopt; }
    std::span<const int32_t> end_tokens() const override { return table().end_tokens(); }
    int32_t pad() const override { return 0; }
    std::map<std::string, std::string> files() const override { return {}; }

   private:
    std::vector<int32_t> encode_utf8(std::string_view) const override { return {}; }
  };
  const NoBrace tokenizer;
  CHECK(error_of([&] { JsonConstraints(tokenizer, 400).make(form_of("true")); }) ==
        "tokenizer: has no token for the byte 0x7B, which answers in JSON may need");
}

TEST_CASE("a model that knows no JSON answers in it, alone or beside others") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 3});
  JsonConstraints of_model(*model.tokenizer, model.config.vocab_size);
  const std::string schema =
      R"({"type": "object", "properties": {"answer": {"type": "integer"}, "unit": {"enum": ["元", "m"]},
      "steps": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 2}}, "required": ["answer", "unit", "steps"]})";
  std::vector<Request> requests(3);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].prompt = random_tokens(model, i, 10);
    requests[i].options = {.max_tokens = 90, .sampling = {.temperature = 1.5F, .seed = i}};
    requests[i].options.constraint = of_model.make(form_of(schema), 90);
  }
  const std::vector<Completion> together = generate(session, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    CHECK(together[i].error.empty());
    CHECK(why_invalid(nlohmann::json::parse(schema), nlohmann::json::parse(together[i].text)) == "");
    Request again = requests[i];
    again.options.constraint = of_model.make(form_of(schema), 90);
    CHECK(generate(session, {&again, 1})[0].text == together[i].text);
  }
}

}  // namespace tinyllm::test
