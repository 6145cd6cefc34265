#include <tinyllm/model/weights.h>

#include <doctest/doctest.h>

#include <set>

namespace tinyllm::test {
namespace {

ModelConfig grouped() {
  return {.vocab_size = 300,
          .dim = 32,
          .n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 2,
          .ffn_dim = 48,
          .ffn = FeedForward::swiglu};
}

const WeightSpec& find(const std::vector<WeightSpec>& specs, const std::string& name) {
  for (const WeightSpec& spec : specs) {
    if (spec.name == name) return spec;
  }
  throw Error("no weight is named {}", name);
}

}  // namespace

TEST_CASE("the parts of a weight in other formats are all of its rows, and no name is used twice") {
  for (const FeedForward kind : {FeedForward::silu, FeedForward::swiglu}) {
    ModelConfig config = grouped();
    config.ffn = kind;
    std::set<std::string> names, hugging_face, gguf;
    size_t parts = 0;
    for (const WeightSpec& spec : weight_specs(config)) {
      CAPTURE(spec.name);
      CHECK(names.insert(spec.name).second);
      int64_t rows = 0;
      for (const WeightPart& part : spec.parts) {
        rows += part.rows;
        ++parts;
        hugging_face.insert(part.hugging_face);
        gguf.insert(part.gguf);
      }
      CHECK(rows == spec.shape[0]);
    }
    CHECK(hugging_face.size() == parts);
    CHECK(gguf.size() == parts);
  }
}

TEST_CASE("fused weights name their parts as Llama's files do") {
  const std::vector<WeightSpec> specs = weight_specs(grouped());
  const WeightSpec& qkv = find(specs, "blocks.1.attn.qkv.weight");
  REQUIRE(qkv.parts.size() == 3);
  CHECK(qkv.parts[1].hugging_face == "model.layers.1.self_attn.k_proj.weight");
  CHECK(qkv.parts[1].gguf == "blk.1.attn_k.weight");
  CHECK(qkv.parts[1].rows == 16);
  CHECK(qkv.parts[0].rotary_heads == 4);
  CHECK(qkv.parts[1].rotary_heads == 2);
  CHECK(qkv.parts[2].rotary_heads == 0);
  CHECK(qkv.equal_parts() == 4);  // Two groups of query heads, keys, values.
  const WeightSpec& up = find(specs, "blocks.0.ffn.w1.bias");
  REQUIRE(up.parts.size() == 2);
  CHECK(up.parts[0].hugging_face == "model.layers.0.mlp.gate_proj.bias");
  CHECK(find(specs, "blocks.0.ffn.w2.weight").equal_parts() == 1);
}

TEST_CASE("adapters are those of the targets, and begin without effect") {
  ModelConfig config = grouped();
  config.lora = {.rank = 3, .targets = {"k_proj", "ffn.w1"}};
  const std::vector<WeightSpec> specs = adapter_specs(config);
  REQUIRE(specs.size() == 12);
  CHECK(specs[0].name == "blocks.0.attn.qkv.k_proj.lora_a");
  CHECK(specs[0].shape == Shape{3, 32});
  CHECK(specs[1].parts[0].hugging_face == "model.layers.0.self_attn.k_proj.lora_B.weight");
  CHECK(specs[1].parts[0].gguf == "blk.0.attn_k.weight.lora_b");
  CHECK(specs[1].parts[0].rotary_heads == 2);
  CHECK(specs[5].name == "blocks.0.ffn.w1.up_proj.lora_b");
  CHECK(specs[5].shape == Shape{48, 3});
  CHECK(specs[5].equal_parts() == 1);
  Store store;
  init_weights(specs, 1, store);
  for (const WeightSpec& spec : specs) {
    const auto values = store.at(spec.name).as<float>();
    const bool is_zero = std::all_of(values.begin(), values.end(), [](float x) { return x == 0; });
    CHECK(is_zero == spec.name.ends_with("lora_b"));
  }
}

TEST_CASE("norms begin as ones and biases as zeros, whatever they are called") {
  const std::vector<WeightSpec> specs = weight_specs(grouped());
  Store store;
  init_weights(specs, 1, store);
  for (const WeightSpec& spec : specs) {
    if (spec.role != WeightRole::norm && spec.role != WeightRole::bias) continue;
    for (const float x : store.at(spec.name).as<float>()) CHECK(x == (spec.role == WeightRole::norm ? 1.0f : 0.0f));
  }
}

TEST_CASE("with relu^2 the matrices that add to the residual stream begin as zeros, and no others do") {
  for (const FeedForward ffn : {FeedForward::silu, FeedForward::swiglu, FeedForward::relu2}) {
    ModelConfig config = grouped();
    config.ffn = ffn;
    const std::vector<WeightSpec> specs = weight_specs(config);
    Store store;
    init_weights(specs, 1, store);
    for (const WeightSpec& spec : specs) {
      if (spec.role != WeightRole::matrix) continue;
      const auto values = store.at(spec.name).as<float>();
      const bool is_zero = std::all_of(values.begin(), values.end(), [](float x) { return x == 0; });
      const bool adds = spec.name.ends_with("attn.o.weight") || spec.name.ends_with("ffn.w2.weight");
      CHECK_MESSAGE(is_zero == (adds && ffn == FeedForward::relu2), spec.name);
    }
  }
}

}  // namespace tinyllm::test
