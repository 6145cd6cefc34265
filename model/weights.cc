#include <tinyllm/model/weights.h>

#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinyllm {
namespace {

// The standard deviation for matrices and tables, from GPT-2.
constexpr float kStd = 0.02f;

std::string last_word(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Declares the weights of one block.
class Block {
 public:
  Block(const ModelConfig& config, int64_t layer, std::vector<WeightSpec>& specs)
      : config_(config), layer_(layer), specs_(specs) {}

  void norm(const char* name, int64_t size, const char* hugging_face, const char* gguf) {
    const std::vector<WeightPart> parts = named({{size, hugging_face, gguf}}, "weight");
    specs_.push_back(
        {.name = full(name, "weight"), .shape = {size}, .role = WeightRole::norm, .init_mean = 1, .parts = parts});
  }

  // Declares a matrix [rows of all parts, in], and its bias if the config has one.
  void matrix(const char* name, int64_t in, float std, bool has_bias, const std::vector<WeightPart>& parts) {
    int64_t out = 0;
    for (const WeightPart& part : parts) out += part.rows;
    specs_.push_back({.name = full(name, "weight"),
                      .shape = {out, in},
                      .role = WeightRole::matrix,
                      .init_std = std,
                      .type = config_.types.matrices,
                      .lora_target = name,
                      .parts = named(parts, "weight")});
    if (!has_bias) return;
    specs_.push_back(
        {.name = full(name, "bias"), .shape = {out}, .role = WeightRole::bias, .parts = named(parts, "bias")});
  }

 private:
  std::string full(const char* name, const char* kind) const {
    return fmt::format("blocks.{}.{}.{}", layer_, name, kind);
  }

  std::vector<WeightPart> named(std::vector<WeightPart> parts, const char* kind) const {
    for (WeightPart& part : parts) {
      part.hugging_face = fmt::format("model.layers.{}.{}.{}", layer_, part.hugging_face, kind);
      part.gguf = fmt::format("blk.{}.{}.{}", layer_, part.gguf, kind);
    }
    return parts;
  }

  const ModelConfig& config_;
  int64_t layer_;
  std::vector<WeightSpec>& specs_;
};

}  // namespace

int64_t WeightSpec::equal_parts() const {
  int64_t rows = 0;
  for (const WeightPart& part : parts) rows = std::gcd(rows, part.rows);
  return rows == 0 ? 1 : shape[0] / rows;
}

std::vector<WeightSpec> weight_specs(const ModelConfig& c) {
  // As in GPT-2, matrices that add to the residual stream start smaller. There are two in each layer. With relu^2 a
  // model learns faster if they start at zero, so that the blocks add nothing at first (docs/results.md).
  const float residual_std =
      c.ffn == FeedForward::relu2 ? 0.0f : kStd / std::sqrt(2.0f * static_cast<float>(c.n_layers));
  std::vector<WeightSpec> specs;
  specs.push_back({.name = "tok_emb.weight",
                   .shape = {c.vocab_size, c.dim},
                   .role = WeightRole::embedding,
                   .init_std = kStd,
                   .type = c.types.tables,
                   .parts = {{c.vocab_size, "model.embed_tokens.weight", "token_embd.weight"}}});
  for (int64_t layer = 0; layer < c.n_layers; ++layer) {
    Block block(c, layer, specs);
    block.norm("norm1", c.dim, "input_layernorm", "attn_norm");
    block.matrix("attn.qkv", c.dim, kStd, c.qkv_bias,
                 {{c.q_dim(), "self_attn.q_proj", "attn_q", c.n_heads},
                  {c.kv_dim(), "self_attn.k_proj", "attn_k", c.kv_heads()},
                  {c.kv_dim(), "self_attn.v_proj", "attn_v"}});
    if (c.qk_norm) {
      block.norm("attn.q_norm", c.head_size(), "self_attn.q_norm", "attn_q_norm");
      block.norm("attn.k_norm", c.head_size(), "self_attn.k_norm", "attn_k_norm");
    }
    block.matrix("attn.o", c.q_dim(), residual_std, c.o_bias, {{c.dim, "self_attn.o_proj", "attn_output"}});
    block.norm("norm2", c.dim, "post_attention_layernorm", "ffn_norm");
    const WeightPart gate = {c.ffn_dim, "mlp.gate_proj", "ffn_gate"}, up = {c.ffn_dim, "mlp.up_proj", "ffn_up"};
    block.matrix("ffn.w1", c.dim, kStd, c.ffn_bias,
                 c.ffn == FeedForward::swiglu ? std::vector<WeightPart>{gate, up} : std::vector<WeightPart>{up});
    block.matrix("ffn.w2", c.ffn_dim, residual_std, c.ffn_bias, {{c.dim, "mlp.down_proj", "ffn_down"}});
  }
  specs.push_back({.name = "norm.weight",
                   .shape = {c.dim},
                   .role = WeightRole::norm,
                   .init_mean = 1,
                   .parts = {{c.dim, "model.norm.weight", "output_norm.weight"}}});
  if (c.tied_head) return specs;
  specs.push_back({.name = "lm_head.weight",
                   .shape = {c.vocab_size, c.dim},
                   .role = WeightRole::head,
                   .init_std = kStd,
                   .type = c.types.tables,
                   .parts = {{c.vocab_size, "lm_head.weight", "output.weight"}}});
  return specs;
}

std::vector<std::string> lora_targets() {
  std::vector<std::string> matrices, parts;
  for (const WeightSpec& spec : weight_specs({.n_layers = 1, .ffn = FeedForward::swiglu})) {
    if (spec.lora_target.empty() || spec.role != WeightRole::matrix) continue;
    matrices.push_back(spec.lora_target);
    for (const WeightPart& part : spec.parts) parts.push_back(last_word(part.module()));
  }
  matrices.insert(matrices.end(), parts.begin(), parts.end());
  return matrices;
}

std::string adapter_name(const WeightSpec& matrix, const WeightPart& part) {
  return matrix.name.substr(0, matrix.name.rfind('.') + 1) + last_word(part.module());
}

std::vector<WeightSpec> adapter_specs(const ModelConfig& c) {
  std::vector<WeightSpec> specs;
  if (c.lora.rank == 0) return specs;
  for (const WeightSpec& spec : weight_specs(c)) {
    if (spec.lora_target.empty()) continue;
    for (const WeightPart& part : spec.parts) {
      const std::string name = adapter_name(spec, part), module = part.module();
      const int64_t rank = c.lora.size_of(spec.lora_target, module).rank;
      if (rank == 0) continue;
      // Hu et al. draw A uniformly from +-1 / sqrt(in). This is the standard deviation of that distribution.
      const float std = 1 / std::sqrt(3.0f * static_cast<float>(spec.shape[1]));
      specs.push_back({.name = name + ".lora_a",
                       .shape = {rank, spec.shape[1]},
                       .role = WeightRole::matrix,
                       .init_std = std,
                       .parts = {{rank, module + ".lora_A.weight", part.gguf + ".lora_a"}}});
      specs.push_back({.name = name + ".lora_b",
                       .shape = {part.rows, rank},
                       .role = WeightRole::matrix,
                       .parts = {{part.rows, module + ".lora_B.weight", part.gguf + ".lora_b", part.rotary_heads}}});
    }
  }
  return specs;
}

std::vector<WeightSpec> trained_specs(const ModelConfig& c) {
  return c.lora.rank > 0 ? adapter_specs(c) : weight_specs(c);
}

// Counts at most two layers and multiplies, since a hostile config may claim any number of layers.
int64_t parameter_count(const ModelConfig& config) {
  const auto count = [&](int64_t layers) {
    ModelConfig some = config;
    some.n_layers = layers;
    int64_t sum = 0;
    for (const WeightSpec& spec : weight_specs(some)) sum = checked_add(sum, spec.shape.size());
    return sum;
  };
  const int64_t one = count(1);
  return checked_add(one, checked_mul(count(2) - one, config.n_layers - 1));
}

void init_weights(const std::vector<WeightSpec>& specs, uint64_t seed, Store& store) {
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) wanted.push_back({spec.name, f32, spec.shape});
  store.add(wanted);
  for (size_t i = 0; i < specs.size(); ++i) {
    Random random(seed, i);
    for (float& x : store.at(specs[i].name).as<float>()) {
      x = specs[i].init_mean;
      if (specs[i].init_std > 0) x += static_cast<float>(random.normal()) * specs[i].init_std;
    }
  }
}

void read_rows(const Store::Entry& weight, int64_t first, std::span<float> out) {
  const int64_t width = weight.shape.size() / weight.shape[0];
  if (!weight.type.is_packed()) {
    std::ranges::copy(weight.as<float>().subspan(static_cast<size_t>(first * width), out.size()), out.begin());
    return;
  }
  for (size_t at = 0; at < out.size(); at += static_cast<size_t>(width), ++first) {
    dequantize_row(weight.type, weight.shape, weight.data, first, out.data() + at);
  }
}

}  // namespace tinyllm
