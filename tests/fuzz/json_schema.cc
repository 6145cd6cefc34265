// A schema, and an answer drawn within it: the answer validates, whatever the schema.
#include <tinyllm/runtime/constraint/json_constraint.h>
#include <tinyllm/tensor/base/random.h>

#include "fuzz/fuzz.h"
#include "runtime/constraint/json_validator.h"
#include "runtime/constraint/table_tokenizer.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  constexpr int64_t kMostTokens = 100;
  static const TableTokenizer tokenizer;
  static JsonConstraints constraints(tokenizer, tokenizer.size());
  Bytes in(bytes);
  const auto seed = in.take<uint16_t>();
  const std::string schema(in.rest());
  may_refuse([&] {
    Constraint constraint = constraints.make({.choices = {{.schema = schema}}}, kMostTokens);
    Random random(seed);
    std::vector<int32_t> answer;
    while (std::ssize(answer) < kMostTokens) {
      std::vector<int32_t> allowed;
      const NextTokens next = constraint(answer);
      for (int32_t token = 0; token < tokenizer.size(); ++token) {
        if ((*next.allowed)[static_cast<size_t>(token)]) allowed.push_back(token);
      }
      answer.push_back(allowed[static_cast<size_t>(random.below(std::ssize(allowed)))]);
      if (tokenizer.is_end(answer.back())) break;
    }
    const auto value = nlohmann::json::parse(tokenizer.decode(answer), nullptr, false);
    require(!value.is_discarded());
    require(why_invalid(nlohmann::json::parse(schema), value).empty());
  });
}
