#include <doctest/doctest.h>

#include <tinyllm/train/run_plan.h>

#include "train/sample_run.h"

#include <algorithm>

namespace tinyllm::test {

TEST_CASE("a plan names every field of the model that decides what is computed") {
  const auto changed = [](const char* name, void (*change)(ModelConfig&)) {
    Model model = sample_model();
    const RunPlan before = plan_of(model, {});
    change(model.config);
    const RunPlan after = plan_of(model, {});
    REQUIRE(before.size() == after.size());
    for (size_t i = 0; i < before.size(); ++i) CHECK((before[i] == after[i]) == (before[i].first != name));
    CHECK(before != after);
  };
  changed("rms_norm_eps", [](ModelConfig& c) { c.norm_eps = 1e-6f; });
  changed("rope_theta", [](ModelConfig& c) { c.rope_base = 1e5f; });
  changed("dropout", [](ModelConfig& c) { c.dropout = 0.2f; });
  changed("max_position_embeddings", [](ModelConfig& c) { c.context = 64; });
}

TEST_CASE("a name with a quote, a colon or bytes that are not text makes a plan that can be read") {
  const std::string json = json_of({{"a \"b\": c\n steps", "1"}, {"\xFF", "2"}});
  CHECK(json == "{\"a \\\"b\\\": c\\n steps\":\"1\",\"\xEF\xBF\xBD\":\"2\"}");
}

}  // namespace tinyllm::test
