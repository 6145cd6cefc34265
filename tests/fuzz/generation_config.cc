// generation_config.json: how a model is sampled from, and the tokens that end its answers.
#include <tinyllm/model/generation_config.h>
#include <tinyllm/model/text/hf/config_tokens.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const ModelFiles files("model", {{"generation_config.json", std::string(bytes)}});
  may_refuse([&] {
    const SamplingDefaults found = sampling_defaults(files);
    require(found.temperature.value_or(0) >= 0);
    require(found.top_k.value_or(0) >= 0);
    require(found.top_p.value_or(1) > 0 && found.top_p.value_or(1) <= 1);
    require(found.min_p.value_or(0) >= 0 && found.min_p.value_or(0) <= 1);
    require(found.repetition_penalty.value_or(1) > 0);
  });
  may_refuse([&] {
    const HfConfigTokens tokens = read_hf_config_tokens(files, [](std::string_view) { return std::nullopt; });
    for (const int32_t token : tokens.ends) require(token >= 0);
    const std::string changed = with_end_token(std::string(bytes), 7);
    const ModelFiles again("model", {{"generation_config.json", changed}});
    require(read_hf_config_tokens(again, [](std::string_view) { return std::nullopt; }).ends.size() >= 1);
  });
}
