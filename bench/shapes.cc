#include "shapes.h"

#include <tinyllm/model/weights.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cstring>

namespace tinyllm::bench {
namespace {

struct Named {
  const char* name;
  ModelConfig config;
};

constexpr Type kTypes[] = {f32, packed_bf16, q8_0, q4_0};

// SwiGLU without biases.
ModelConfig llama(ModelConfig sizes) {
  sizes.ffn = FeedForward::swiglu;
  sizes.ffn_bias = false;
  sizes.dropout = 0;
  return sizes;
}

// The same with a tied head.
ModelConfig qwen(ModelConfig sizes) {
  sizes = llama(sizes);
  sizes.vocab_size = 151936;
  sizes.tied_head = true;
  sizes.norm_eps = 1e-6f;
  sizes.rope_base = 1000000;
  return sizes;
}

// Sizes are those of each model's `config.json` on Hugging Face.
const Named kShapes[] = {
    {"default", {}},
    {"tinyllama-1.1b",
     llama({.vocab_size = 32000, .dim = 2048, .n_layers = 22, .n_heads = 32, .n_kv_heads = 4, .ffn_dim = 5632})},
    {"smollm2-135m", llama({.vocab_size = 49152,
                            .dim = 576,
                            .n_layers = 30,
                            .n_heads = 9,
                            .n_kv_heads = 3,
                            .ffn_dim = 1536,
                            .tied_head = true,
                            .rope_base = 100000})},
    {"qwen2.5-1.5b",
     qwen({.dim = 1536, .n_layers = 28, .n_heads = 12, .n_kv_heads = 2, .qkv_bias = true, .ffn_dim = 8960})},
    {"qwen3-0.6b", qwen({.dim = 1024,
                         .n_layers = 28,
                         .n_heads = 16,
                         .n_kv_heads = 8,
                         .head_dim = 128,
                         .qk_norm = true,
                         .ffn_dim = 3072})},
};

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Named& each : kShapes) names.emplace_back(each.name);
  return names;
}

ModelConfig shape(std::string_view name, std::string_view type) {
  const auto* found = std::ranges::find(kShapes, name, &Named::name);
  if (found == std::end(kShapes)) throw Error("shape {}: unknown", name);
  const auto* weights = std::ranges::find(kTypes, type, &Type::name);
  if (weights == std::end(kTypes)) throw Error("type {}: unknown", type);
  ModelConfig config = found->config;
  config.types = {*weights, *weights};
  return config;
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const Type each : kTypes) names.emplace_back(each.name());
  return names;
}

void fill_weights(const ModelConfig& config, Store& store, ThreadPool& pool) {
  const std::vector<WeightSpec> specs = weight_specs(config);
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) wanted.push_back({spec.name, spec.type, spec.shape});
  store.add(wanted);
  for (const WeightSpec& spec : specs) {
    Random random(1);
    const Shape shape =
        spec.shape.rank() == 2 ? spec.shape.with(0, std::min(kernels::kQuantPanel, spec.shape[0])) : spec.shape;
    std::vector<float> values(static_cast<size_t>(shape.size()));
    for (float& x : values) x = static_cast<float>(random.normal()) * 0.02f;
    std::vector<std::byte> panel(bytes_of(spec.type, shape));
    if (spec.type.is_packed()) {
      const QuantizedMatrix matrix = quantize(spec.type, shape, values.data(), pool);
      pack_quantized(spec.type, shape, matrix.quants.data(), std::as_bytes(std::span(matrix.scales)).data(),
                     panel.data(), pool);
    } else {
      std::memcpy(panel.data(), values.data(), panel.size());
    }
    const Store::Entry& entry = store.at(spec.name);
    for (size_t i = 0; i < entry.bytes(); i += panel.size()) {
      std::memcpy(entry.data + i, panel.data(), std::min(panel.size(), entry.bytes() - i));
    }
  }
}

}  // namespace tinyllm::bench
