#include <tinyllm/model/transformer.h>

#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

Tensor multiply(Tensor x, Tensor w, Tensor bias = {}) {
  return is_quantized(w.dtype()) ? quantized_linear(x, w, bias) : linear(x, w, bias);
}

// The weights as the graph asks for them. `weight_specs` and `adapter_specs` have the same names and shapes: whoever
// changes one changes both.
struct Weights {
  Graph& graph;
  const ModelConfig& c;

  Tensor get(const std::string& name, Shape shape, DType dtype = f32) const {
    return graph.parameter(name, dtype, shape);
  }
  Tensor block(int64_t layer, const std::string& name, Shape shape, DType dtype = f32) const {
    return get(fmt::format("blocks.{}.{}", layer, name), shape, dtype);
  }

  // x [..., in] -> [..., out] by a matrix of a block, with its adapter where it has one.
  Tensor project(int64_t layer, const std::string& name, Tensor x, int64_t out, bool has_bias) const {
    const int64_t in = x.shape()[-1];
    const Tensor y = multiply(x, block(layer, name + ".weight", {out, in}, c.types.matrices),
                              has_bias ? block(layer, name + ".bias", {out}) : Tensor());
    if (!c.lora.adapts(name)) return y;
    const Tensor low = linear(x, block(layer, name + ".lora_a", {c.lora.rank, in}));
    return add(y, linear(scale(low, c.lora.scale()), block(layer, name + ".lora_b", {out, c.lora.rank})));
  }
};

Tensor feed_forward(const Weights& w, int64_t layer, Tensor x, const Dropout& drop) {
  const ModelConfig& c = w.c;
  const Tensor up = w.project(layer, "ffn.w1", x, c.ffn_gated ? 2 * c.ffn_dim : c.ffn_dim, c.ffn_bias);
  const Tensor inner = c.ffn_gated ? dropout(swiglu(up), drop) : silu(up, drop);
  return w.project(layer, "ffn.w2", inner, c.dim, c.ffn_bias);
}

Tensor self_attention(const Weights& w, int64_t layer, Tensor x, Tensor angles, const AttentionFn& attend) {
  const ModelConfig& c = w.c;
  const int64_t batch = x.shape()[0];
  const int64_t tokens = x.shape()[1];
  const Tensor qkv = w.project(layer, "attn.qkv", x, c.dim + 2 * c.kv_dim(), false);
  std::vector<Tensor> parts = split(qkv, -1, {c.dim, c.kv_dim(), c.kv_dim()});
  for (Tensor& part : parts) part = reshape(part, {batch, tokens, -1, c.head_size()});
  const Tensor out = attend(layer, rope(parts[0], angles), rope(parts[1], angles), parts[2]);
  return w.project(layer, "attn.o", reshape(out, {batch, tokens, c.dim}), c.dim, false);
}

}  // namespace

std::vector<WeightSpec> weight_specs(const ModelConfig& c) {
  // GPT-2's deviations: 0.02, and less for what is added to the residual stream twice a layer.
  constexpr float kStd = 0.02f;
  const float residual = kStd / std::sqrt(2.0f * static_cast<float>(c.n_layers));
  std::vector<WeightSpec> specs = {{"tok_emb.weight", {c.vocab_size, c.dim}, kStd, WeightRole::table}};
  for (int64_t layer = 0; layer < c.n_layers; ++layer) {
    const auto add = [&](const char* name, Shape shape, float std) {
      const WeightRole role = shape.rank() == 2 ? WeightRole::matrix : WeightRole::vector;
      specs.push_back({fmt::format("blocks.{}.{}", layer, name), shape, std, role});
    };
    add("norm1.weight", {c.dim}, 0);
    add("attn.qkv.weight", {c.dim + 2 * c.kv_dim(), c.dim}, kStd);
    specs.back().parts = c.n_heads / c.kv_heads() + 2;  // Of the size of K; queries that share a key head are one.
    add("attn.o.weight", {c.dim, c.dim}, residual);
    add("norm2.weight", {c.dim}, 0);
    const int64_t up = c.ffn_gated ? 2 : 1;
    add("ffn.w1.weight", {up * c.ffn_dim, c.dim}, kStd);
    specs.back().parts = up;
    if (c.ffn_bias) add("ffn.w1.bias", {up * c.ffn_dim}, 0);
    add("ffn.w2.weight", {c.dim, c.ffn_dim}, residual);
    if (c.ffn_bias) add("ffn.w2.bias", {c.dim}, 0);
  }
  specs.push_back({"norm.weight", {c.dim}, 0, WeightRole::vector});
  specs.push_back({"lm_head.weight", {c.vocab_size, c.dim}, kStd, WeightRole::table});
  for (WeightSpec& spec : specs) {
    if (spec.role == WeightRole::matrix) spec.dtype = c.types.matrices;
    if (spec.role == WeightRole::table) spec.dtype = c.types.tables;
  }
  return specs;
}

std::vector<WeightSpec> adapter_specs(const ModelConfig& c) {
  std::vector<WeightSpec> specs;
  for (const WeightSpec& spec : weight_specs(c)) {
    constexpr std::string_view kSuffix = ".weight";
    const std::string name = spec.name.substr(0, spec.name.size() - std::min(spec.name.size(), kSuffix.size()));
    const bool is_target = std::any_of(c.lora.targets.begin(), c.lora.targets.end(),
                                       [&](const std::string& target) { return name.ends_with("." + target); });
    if (c.lora.rank == 0 || spec.role != WeightRole::matrix || !is_target) continue;
    // As uniform numbers between plus and minus 1 / sqrt(in) have it.
    const float std = 1 / std::sqrt(3.0f * static_cast<float>(spec.shape[1]));
    specs.push_back({name + ".lora_a", {c.lora.rank, spec.shape[1]}, std, WeightRole::matrix});
    specs.push_back({name + ".lora_b", {spec.shape[0], c.lora.rank}, 0, WeightRole::matrix});
  }
  return specs;
}

std::vector<WeightSpec> trained_specs(const ModelConfig& c) {
  return c.lora.rank > 0 ? adapter_specs(c) : weight_specs(c);
}

int64_t parameter_count(const ModelConfig& config) {
  ModelConfig one_layer = config;
  one_layer.n_layers = 1;
  int64_t layer = 0, rest = 0;
  for (const WeightSpec& spec : weight_specs(one_layer)) {
    int64_t& count = spec.name.starts_with("blocks.") ? layer : rest;
    count = checked_add(count, spec.shape.size());
  }
  return checked_add(rest, checked_mul(layer, config.n_layers));
}

void init_weights(const std::vector<WeightSpec>& specs, uint64_t seed, Store& store) {
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) wanted.push_back({spec.name, f32, spec.shape});
  store.add(wanted);
  for (size_t i = 0; i < specs.size(); ++i) {
    const std::span<float> values = store.at(specs[i].name).as<float>();
    const bool is_norm = specs[i].name.find("norm") != std::string::npos;
    Random random(seed, i);
    for (float& x : values) {
      x = specs[i].init_std > 0 ? static_cast<float>(random.normal()) * specs[i].init_std : is_norm ? 1.0f : 0.0f;
    }
  }
}

Tensor transformer(Graph& graph, const ModelConfig& c, const TransformerInputs& inputs, const AttentionFn& attend) {
  check(c);
  Dropout drop = inputs.dropout;
  drop.p = c.dropout;
  const Weights w{graph, c};
  const Tensor angles = rope_angles(inputs.positions, c.head_size(), c.rope_base);
  Tensor x = embedding(w.get("tok_emb.weight", {c.vocab_size, c.dim}, c.types.tables), inputs.tokens);
  for (int64_t layer = 0; layer < c.n_layers; ++layer) {
    if (inputs.residuals != nullptr) inputs.residuals->push_back(x);
    const Tensor a = rms_norm(x, w.block(layer, "norm1.weight", {c.dim}), c.norm_eps);
    x = add(x, self_attention(w, layer, a, angles, attend));
    const Tensor b = rms_norm(x, w.block(layer, "norm2.weight", {c.dim}), c.norm_eps);
    x = add(x, feed_forward(w, layer, b, drop));
  }
  return rms_norm(x, w.get("norm.weight", {c.dim}), c.norm_eps);
}

Tensor transformer(Graph& graph, const ModelConfig& c, const TransformerInputs& inputs) {
  Dropout drop = inputs.dropout;
  drop.p = c.dropout;
  return transformer(graph, c, inputs,
                     [&](int64_t, Tensor q, Tensor k, Tensor v) { return attention(q, k, v, inputs.starts, drop); });
}

namespace {

Tensor head_weight(const ModelConfig& c, Graph& graph) {
  return graph.parameter("lm_head.weight", c.types.tables, {c.vocab_size, c.dim});
}

}  // namespace

Tensor lm_head(const ModelConfig& c, Tensor hidden) { return multiply(hidden, head_weight(c, hidden.graph())); }

Tensor lm_loss(const ModelConfig& c, Tensor hidden, Tensor targets, float z_loss) {
  if (is_quantized(c.types.tables)) return cross_entropy(lm_head(c, hidden), targets);
  return linear_cross_entropy(hidden, head_weight(c, hidden.graph()), targets, z_loss);
}

}  // namespace tinyllm
