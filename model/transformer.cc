#include <tinyllm/model/transformer.h>

#include <unordered_map>

namespace tinyllm {
namespace {

// The weights as parameters of a graph, by name, with the shapes and types of their specs.
class Weights {
 public:
  Weights(Graph& graph, const ModelConfig& config, PackedInput packed_input = PackedInput::quantized)
      : graph_(graph), lora_(config.lora), packed_input_(packed_input) {
    for (const WeightSpec& spec : weight_specs(config)) specs_.emplace(spec.name, spec);
    for (const WeightSpec& spec : adapter_specs(config)) specs_.emplace(spec.name, spec);
  }

  Tensor get(const std::string& name) const {
    if (graph_.has(name)) return graph_.find(name);
    const WeightSpec& spec = specs_.at(name);
    return graph_.parameter(name, spec.type, spec.shape);
  }

  Tensor norm(int64_t layer, const char* name) const { return get(fmt::format("blocks.{}.{}.weight", layer, name)); }

  // x [..., in] -> [..., out] by a matrix of a block, with its bias and its adapters if it has them.
  Tensor project(int64_t layer, const char* name, Tensor x) const {
    const std::string full = fmt::format("blocks.{}.{}", layer, name);
    const Tensor w = get(full + ".weight");
    const Tensor bias = specs_.contains(full + ".bias") ? get(full + ".bias") : Tensor();
    const Tensor y = linear(x, w, bias, Activation::none, packed_input_);
    const Tensor added = adapted(specs_.at(full + ".weight"), x);
    return added ? add(y, added) : y;
  }

 private:
  // The output of a matrix's adapters for x [..., in] -> [..., out]; empty if it has none.
  Tensor adapted(const WeightSpec& matrix, Tensor x) const {
    std::vector<Tensor> parts;
    bool any = false;
    for (const WeightPart& part : matrix.parts) {
      const Lora::Size size = lora_.size_of(matrix.lora_target, part.module());
      if (size.rank == 0) {
        parts.push_back(graph_.constant(0, x.shape().with(-1, part.rows)));
        continue;
      }
      any = true;
      const std::string name = adapter_name(matrix, part);
      parts.push_back(linear(scale(linear(x, get(name + ".lora_a")), size.scale), get(name + ".lora_b")));
    }
    if (!any) return {};
    return parts.size() == 1 ? parts[0] : concat(parts, -1);
  }

  Graph& graph_;
  const Lora& lora_;
  PackedInput packed_input_;
  std::unordered_map<std::string, WeightSpec> specs_;
};

Tensor activated(FeedForward kind, Tensor x, const Dropout& drop) {
  switch (kind) {
    case FeedForward::silu:
      return silu(x, drop);
    case FeedForward::swiglu:
      return dropout(swiglu(x), drop);
    case FeedForward::relu2:
      break;
  }
  return dropout(relu_squared(x), drop);
}

Tensor feed_forward(const Weights& w, const ModelConfig& c, int64_t layer, Tensor x, const Dropout& drop) {
  const Tensor up = w.project(layer, "ffn.w1", x);
  return w.project(layer, "ffn.w2", activated(c.ffn, up, drop));
}

Tensor self_attention(const Weights& w, const ModelConfig& c, int64_t layer, Tensor x, Tensor angles,
                      const AttentionFn& attend) {
  const int64_t batch = x.shape()[0];
  const int64_t tokens = x.shape()[1];
  std::vector<Tensor> qkv = split(w.project(layer, "attn.qkv", x), -1, {c.q_dim(), c.kv_dim(), c.kv_dim()});
  for (Tensor& part : qkv) part = reshape(part, {batch, tokens, -1, c.head_size()});
  if (c.qk_norm) {
    qkv[0] = rms_norm(qkv[0], w.norm(layer, "attn.q_norm"), c.norm_eps);
    qkv[1] = rms_norm(qkv[1], w.norm(layer, "attn.k_norm"), c.norm_eps);
  }
  const Tensor out = attend(layer, rope(qkv[0], angles), rope(qkv[1], angles), qkv[2]);
  return w.project(layer, "attn.o", reshape(out, {batch, tokens, c.q_dim()}));
}

Tensor scaled(Tensor x, float factor) { return factor == 1 ? x : scale(x, factor); }

Tensor head_weight(Graph& graph, const ModelConfig& c) {
  return Weights(graph, c).get(c.tied_head ? "tok_emb.weight" : "lm_head.weight");
}

}  // namespace

Tensor transformer(Graph& graph, const ModelConfig& c, const TransformerInputs& inputs, const AttentionFn& attend) {
  check(c);
  Dropout drop = inputs.dropout;
  drop.p = c.dropout;
  const Weights w(graph, c, inputs.packed_input);
  RopeAngles rotation = scaled_angles(c.head_size(), static_cast<double>(c.rope_base), c.rope_scaling, c.context);
  const Tensor angles = rope_angles(inputs.positions, std::move(rotation.frequencies), rotation.scale);
  Tensor x = scaled(embedding(w.get("tok_emb.weight"), inputs.tokens), c.embedding_scale);
  for (int64_t layer = 0; layer < c.n_layers; ++layer) {
    if (inputs.residuals != nullptr) inputs.residuals->push_back(x);
    const Tensor a = rms_norm(x, w.norm(layer, "norm1"), c.norm_eps);
    x = add(x, scaled(self_attention(w, c, layer, a, angles, attend), c.residual_scale));
    const Tensor b = rms_norm(x, w.norm(layer, "norm2"), c.norm_eps);
    x = add(x, scaled(feed_forward(w, c, layer, b, drop), c.residual_scale));
  }
  return scaled(rms_norm(x, w.get("norm.weight"), c.norm_eps), c.logit_scale);
}

Tensor transformer(Graph& graph, const ModelConfig& c, const TransformerInputs& inputs) {
  Dropout drop = inputs.dropout;
  drop.p = c.dropout;
  return transformer(graph, c, inputs, [&](int64_t layer, Tensor q, Tensor k, Tensor v) {
    return attention(q, k, v, inputs.starts, drop, c.window_of(layer));
  });
}

Tensor lm_head(const ModelConfig& c, Tensor hidden) { return linear(hidden, head_weight(hidden.graph(), c)); }

Tensor lm_loss(const ModelConfig& c, Tensor hidden, Tensor targets, float z_loss) {
  return linear_cross_entropy(hidden, head_weight(hidden.graph(), c), targets, z_loss);
}

Tensor token_log_probs(const ModelConfig& c, Tensor hidden, Tensor targets) {
  return token_log_probs(hidden, head_weight(hidden.graph(), c), targets);
}

}  // namespace tinyllm
