#include "shapes.h"

#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm::bench {
namespace {

struct Named {
  const char* name;
  ModelConfig config;
};

// Sizes are those of each model's `config.json` on Hugging Face.
const Named kShapes[] = {
    {"default", {}},
    {"tinyllama-1.1b",
     {.vocab_size = 32000,
      .dim = 2048,
      .n_layers = 22,
      .n_heads = 32,
      .n_kv_heads = 4,
      .ffn_dim = 5632,
      .ffn_gated = true,
      .ffn_bias = false}},
    {"smollm2-135m",
     {.vocab_size = 49152,
      .dim = 576,
      .n_layers = 30,
      .n_heads = 9,
      .n_kv_heads = 3,
      .ffn_dim = 1536,
      .ffn_gated = true,
      .ffn_bias = false,
      .tied_head = true,
      .rope_base = 100000}},
    {"qwen2.5-1.5b",
     {.vocab_size = 151936,
      .dim = 1536,
      .n_layers = 28,
      .n_heads = 12,
      .n_kv_heads = 2,
      .qkv_bias = true,
      .ffn_dim = 8960,
      .ffn_gated = true,
      .ffn_bias = false,
      .tied_head = true,
      .norm_eps = 1e-6f,
      .rope_base = 1000000}},
    {"qwen3-0.6b",
     {.vocab_size = 151936,
      .dim = 1024,
      .n_layers = 28,
      .n_heads = 16,
      .n_kv_heads = 8,
      .head_dim = 128,
      .qk_norm = true,
      .ffn_dim = 3072,
      .ffn_gated = true,
      .ffn_bias = false,
      .tied_head = true,
      .norm_eps = 1e-6f,
      .rope_base = 1000000}},
};

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Named& each : kShapes) names.emplace_back(each.name);
  return names;
}

ModelConfig shape(std::string_view name) {
  const auto* found = std::ranges::find(kShapes, name, &Named::name);
  if (found == std::end(kShapes)) throw Error("shape {}: unknown", name);
  return found->config;
}

}  // namespace tinyllm::bench
