#include <doctest/doctest.h>

#include <tinyllm/runtime/constraint/json_constraint.h>
#include <tinyllm/runtime/constraint/token_masks.h>

#include "error_of.h"
#include "runtime/constraint/json_validator.h"
#include "runtime/constraint/random_schema.h"
#include "runtime/constraint/schemas.h"
#include "runtime/constraint/table_tokenizer.h"

#include <set>

namespace tinyllm::test {
namespace {

const TableTokenizer& table() {
  static const TableTokenizer tokenizer;
  return tokenizer;
}

// Which tokens may follow, each tried alone. `most`: tokens of a closing after it.
std::vector<bool> tried(TokenMasks& masks, const JsonState& state, int64_t most = JsonGrammar::kNever - 1) {
  const JsonMatcher& matcher = masks.matcher();
  std::vector<bool> allowed(static_cast<size_t>(table().size()));
  for (int32_t token = 0; token < table().size(); ++token) {
    if (table().is_end(token)) {
      allowed[static_cast<size_t>(token)] = matcher.is_complete(state);
      continue;
    }
    const std::string bytes = table().decode({&token, 1});
    const bool is_marker = token == TableTokenizer::kMarker;
    JsonState now = state, next;
    bool fits = !bytes.empty();
    for (const char byte : bytes) {
      fits =
          fits && matcher.read(now, static_cast<unsigned char>(byte), next) && (!is_marker || matcher.is_in_form(next));
      std::swap(now, next);
    }
    allowed[static_cast<size_t>(token)] = fits && masks.closing_tokens(now) <= most;
  }
  return allowed;
}

}  // namespace

TEST_CASE("answers in random schemas validate, and every mask is that of trying each token") {
  constexpr int kSchemas = 2000;
  const auto vocabulary = std::make_shared<const ConstraintVocabulary>(table(), table().size());
  std::set<std::string> seen;
  int compiled = 0, wrong_masks = 0;
  for (uint64_t seed = 0; seed < kSchemas; ++seed) {
    const std::string schema = RandomSchema(seed).make().dump();
    std::shared_ptr<const JsonGrammar> grammar;
    const std::string error = error_of([&] { grammar = grammar_of(schema); });
    if (grammar == nullptr) {
      CHECK_MESSAGE(error == "schema: /: no value that can be written satisfies it", schema);
      continue;
    }
    ++compiled;
    TokenMasks masks(grammar, vocabulary);
    const JsonMatcher& matcher = masks.matcher();
    Random random(seed, 1);
    const int64_t budget = masks.closing_tokens(matcher.begin()) + random.below(60);
    std::string text;
    JsonState state = matcher.begin(), next;
    for (int64_t left = budget; left >= 0; --left) {
      const std::vector<bool> free = masks.mask(state)->bits(vocabulary->size());
      const std::vector<bool> closing = masks.closing_mask(state, left - 1).bits(vocabulary->size());
      wrong_masks += free == tried(masks, state) ? 0 : 1;
      wrong_masks += closing == tried(masks, state, left - 1) ? 0 : 1;
      std::vector<int32_t> allowed;
      for (int32_t token = 0; token < table().size(); ++token) {
        if (closing[static_cast<size_t>(token)]) allowed.push_back(token);
      }
      REQUIRE_MESSAGE(!allowed.empty(), schema << "\n" << text);
      const int32_t token = allowed[static_cast<size_t>(random.below(std::ssize(allowed)))];
      if (table().is_end(token)) break;
      text += table().decode({&token, 1});
      for (const char byte : table().decode({&token, 1})) {
        matcher.read(state, static_cast<unsigned char>(byte), next);
        std::swap(state, next);
      }
    }
    const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    CHECK_MESSAGE(!value.is_discarded(), schema << "\n" << text);
    const std::string why = why_invalid(nlohmann::json::parse(schema), value);
    CHECK_MESSAGE(why.empty(), schema << "\n" << text << "\n" << why);
    seen.insert(text);
  }
  CHECK(wrong_masks == 0);
  CHECK(compiled > kSchemas * 8 / 10);
  CHECK(seen.size() > kSchemas / 2);
}

TEST_CASE("of two ways to read a string, each allows its own tokens") {
  const auto vocabulary = std::make_shared<const ConstraintVocabulary>(table(), table().size());
  TokenMasks masks(grammar_of(R"({"anyOf": [{"enum": ["abc"]}, {"type": "string", "maxLength": 1}]})"), vocabulary);
  JsonState state;
  REQUIRE(masks.matcher().read(masks.matcher().begin(), '"', state));
  REQUIRE(state.stacks() == 2);
  const std::vector<bool> allowed = masks.mask(state)->bits(vocabulary->size());
  CHECK(allowed == tried(masks, state));
  const std::vector<std::string> texts = TableTokenizer::usual_texts();
  const auto abc = std::find(texts.begin(), texts.end(), "abc") - texts.begin();
  CHECK(allowed[static_cast<size_t>(table().size() - std::ssize(texts) + abc)]);
}

TEST_CASE("what a long closing costs is paid once, not for each token of each mask") {
  const auto vocabulary = std::make_shared<const ConstraintVocabulary>(table(), table().size());
  std::string keys, names;
  for (int i = 0; i < 60; ++i) {
    const std::string name = fmt::format("\"{}{}\"", std::string(40, 'k'), i);
    keys += fmt::format("{}{}: {{\"type\": \"string\"}}", i > 0 ? "," : "", name);
    names += (i > 0 ? "," : "") + name;
  }
  const std::string schemas[] = {
      fmt::format(R"({{"type": "object", "properties": {{{}}}, "required": [{}]}})", keys, names),
      R"({"type": "array", "minItems": 600, "items": {"type": "string"}})",
      R"({"type": "array", "minItems": 300, "items": {"anyOf": [{"type": "string", "maxLength": 1}, {"type": "string", "maxLength": 2},
          {"type": "string", "maxLength": 3}, {"type": "integer"}]}})",
      R"({"type": "string", "minLength": 1800})"};
  for (const std::string& schema : schemas) {
    CAPTURE(schema);
    TokenMasks masks(grammar_of(schema), vocabulary);
    JsonState state = masks.matcher().begin(), next;
    const int64_t shortest = masks.closing_tokens(state), bytes = masks.matcher().shortest(state);
    const int64_t first = masks.closing_steps();
    CHECK(first <= 256 * bytes);
    // Every mask of an answer that has only a little more than it needs.
    constexpr int64_t kSpare = 3, kMasks = 100;
    Random random(1);
    for (int64_t i = 0; i < kMasks; ++i) {
      const int64_t before = masks.closing_steps();
      const std::vector<bool> allowed = masks.closing_mask(state, shortest + kSpare - i - 1).bits(vocabulary->size());
      // A token leads to a state or two that are new. To walk all the way after each would take thousands of steps.
      CHECK(masks.closing_steps() - before <= 64 * table().size());
      std::vector<int32_t> tokens;
      for (int32_t token = 0; token < table().size(); ++token) {
        if (allowed[static_cast<size_t>(token)]) tokens.push_back(token);
      }
      REQUIRE_FALSE(tokens.empty());
      for (const char byte : table().decode({&tokens[static_cast<size_t>(random.below(std::ssize(tokens)))], 1})) {
        REQUIRE(masks.matcher().read(state, static_cast<unsigned char>(byte), next));
        std::swap(state, next);
      }
    }
  }
}

}  // namespace tinyllm::test
