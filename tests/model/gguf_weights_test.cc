#include <tinyllm/model/gguf_adapter.h>
#include <tinyllm/model/gguf_weights.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tinyllm.h>

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "close.h"
#include "temp_folder.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

const Family& kLlama = family_of_gguf("llama");
const Family& kQwen2 = family_of_gguf("qwen2");

ModelConfig small() {
  return {.vocab_size = 48,
          .dim = 64,
          .n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 2,
          .ffn_dim = 96,
          .ffn = FeedForward::swiglu};
}

using Weights = std::map<std::string, std::vector<float>>;

Weights random_weights(const std::vector<WeightSpec>& specs) {
  Weights weights;
  Random random(5, 1);
  for (const WeightSpec& spec : specs) {
    std::vector<float>& values = weights[spec.name];
    values.resize(static_cast<size_t>(spec.shape.size()));
    for (float& x : values) x = static_cast<float>(random.normal());
  }
  return weights;
}

void save(const std::vector<WeightSpec>& specs, const Weights& weights, const Family& family, const GgufTypes& types,
          const std::filesystem::path& path) {
  GgufWriter writer;
  const auto row = [&](const WeightSpec& spec, int64_t index, std::span<float> out) {
    std::copy_n(weights.at(spec.name).begin() + index * static_cast<int64_t>(out.size()), out.size(), out.begin());
  };
  add_gguf_weights(specs, family, types, row, writer);
  ThreadPool pool(2);
  writer.save(path, pool);
}

std::vector<float> read(const Gguf& file, const Family& family, const WeightSpec& spec) {
  std::vector<float> values(static_cast<size_t>(spec.shape.size()));
  GgufWeights(file, family).read(spec, 0, spec.shape[0], values);
  return values;
}

const WeightSpec& spec_of(const std::vector<WeightSpec>& specs, const std::string& name) {
  for (const WeightSpec& spec : specs) {
    if (spec.name == name) return spec;
  }
  throw Error("no weight is named {}", name);
}

}  // namespace

TEST_CASE("rows of a head: the two of a pair follow each other in the file, and back") {
  // Two heads of six rows: 0 pairs with 3, 1 with 4, 2 with 5.
  const int64_t expected[] = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
  for (int64_t row = 0; row < 12; ++row) {
    CHECK(gguf_row(row, 12, 2) == expected[row]);
    CHECK(hugging_face_row(expected[row], 12, 2) == row);
  }
  CHECK_THROWS_AS(gguf_row(0, 9, 3), Error);
  CHECK_THROWS_AS(gguf_row(0, 8, 3), Error);
}

TEST_CASE("Q and K are permuted in a file of Llama, each by its own number of heads, and nothing else is") {
  const TempFolder folder;
  const std::vector<WeightSpec> specs = weight_specs(small());
  const Weights weights = random_weights(specs);
  save(specs, weights, kLlama, {}, folder / "llama.gguf");
  save(specs, weights, kQwen2, {}, folder / "qwen.gguf");
  const Gguf llama(folder / "llama.gguf"), qwen(folder / "qwen.gguf");
  const std::vector<float>& qkv = weights.at("blocks.1.attn.qkv.weight");
  const auto rows = [&](int64_t begin, int64_t count) {
    return std::vector<float>(qkv.begin() + begin * 64, qkv.begin() + (begin + count) * 64);
  };
  // [heads][half][d / 2] becomes [heads][d / 2][half].
  const auto permuted = [](const std::vector<float>& matrix, size_t heads, size_t d) {
    std::vector<float> result;
    for (size_t h = 0; h < heads; ++h) {
      for (size_t j = 0; j < d / 2; ++j) {
        for (size_t half = 0; half < 2; ++half) {
          const auto row = matrix.begin() + static_cast<std::ptrdiff_t>((h * d + half * (d / 2) + j) * 64);
          result.insert(result.end(), row, row + 64);
        }
      }
    }
    return result;
  };
  CHECK(llama.values(llama.at("blk.1.attn_q.weight", {64, 64})) == permuted(rows(0, 64), 4, 16));
  CHECK(llama.values(llama.at("blk.1.attn_k.weight", {32, 64})) == permuted(rows(64, 32), 2, 16));
  CHECK(llama.values(llama.at("blk.1.attn_v.weight", {32, 64})) == rows(96, 32));
  CHECK(qwen.values(qwen.at("blk.1.attn_q.weight")) == rows(0, 64));
  CHECK(llama.values(llama.at("blk.0.ffn_up.weight")) == qwen.values(qwen.at("blk.0.ffn_up.weight")));
  for (const WeightSpec& spec : specs) {
    CAPTURE(spec.name);
    CHECK(read(llama, kLlama, spec) == weights.at(spec.name));
    CHECK(read(qwen, kQwen2, spec) == weights.at(spec.name));
  }
}

TEST_CASE("biases of Q and K are permuted as their rows") {
  const TempFolder folder;
  const std::vector<WeightSpec> specs = {{.name = "bias",
                                          .shape = {16},
                                          .role = WeightRole::bias,
                                          .parts = {{8, "q", "q", 2}, {4, "k", "k", 1}, {4, "v", "v"}}}};
  Weights weights;
  for (int i = 0; i < 16; ++i) weights["bias"].push_back(static_cast<float>(i));
  save(specs, weights, kLlama, {GgufType::Q8_0, GgufType::Q8_0}, folder / "x.gguf");
  const Gguf file(folder / "x.gguf");
  CHECK(file.values(file.at("q")) == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(file.values(file.at("k")) == std::vector<float>{8, 10, 9, 11});
  CHECK(file.values(file.at("v")) == std::vector<float>{12, 13, 14, 15});
  CHECK(read(file, kLlama, specs[0]) == weights.at("bias"));
}

TEST_CASE("matrices of our types are read without a change, and give the same numbers") {
  const std::vector<WeightSpec> specs = weight_specs(small());
  const Weights weights = random_weights(specs);
  ThreadPool pool(2);
  for (const auto& [type, our_type] :
       {std::pair(GgufType::Q8_0, q8_0), {GgufType::Q4_0, q4_0}, {GgufType::BF16, packed_bf16}}) {
    CAPTURE(std::string(gguf_type(type).name));
    const TempFolder folder;
    save(specs, weights, kLlama, {type, GgufType::F16}, folder / "x.gguf");
    const Gguf file(folder / "x.gguf");
    CHECK(file.metadata().get<int64_t>("general.file_type") == gguf_file_type(type));
    CHECK(file.metadata().has("general.quantization_version") == (type != GgufType::BF16));
    for (const char* name : {"blocks.0.attn.qkv.weight", "blocks.1.ffn.w2.weight"}) {
      const WeightSpec& spec = spec_of(specs, name);
      const GgufWeights weights_in_file(file, kLlama);
      REQUIRE(weights_in_file.type_of(spec) == our_type);
      const QuantizedMatrix matrix = weights_in_file.read_packed(spec, 0, spec.shape[0]);
      std::vector<std::byte> packed(bytes_of(matrix.type, matrix.shape));
      pack_quantized(matrix.type, matrix.shape, matrix.quants.data(),
                     reinterpret_cast<const std::byte*>(matrix.scales.data()), packed.data(), pool);
      const std::vector<float> expected = read(file, kLlama, spec);
      std::vector<float> found(expected.size());
      for (int64_t row = 0; row < spec.shape[0]; ++row) {
        dequantize_row(matrix.type, matrix.shape, packed.data(), row, found.data() + row * spec.shape[1]);
      }
      CHECK(found == expected);
    }
    CHECK(GgufWeights(file, kLlama).type_of(spec_of(specs, "tok_emb.weight")) == f32);  // F16 is converted.
    CHECK(GgufWeights(file, kLlama).type_of(spec_of(specs, "norm.weight")) == f32);
  }
}

TEST_CASE("a weight that is missing or has another shape is named") {
  const TempFolder folder;
  save(weight_specs(small()), random_weights(weight_specs(small())), kLlama, {}, folder / "x.gguf");
  const Gguf file(folder / "x.gguf");
  ModelConfig wider = small();
  wider.ffn_dim = 128;
  const WeightSpec other = spec_of(weight_specs(wider), "blocks.0.ffn.w2.weight");
  CHECK_THROWS_WITH_AS(read(file, kLlama, other),
                       ((folder / "x.gguf").string() + ": blk.0.ffn_down.weight is [64,96], expected [64,128]").c_str(),
                       Error);
  wider.n_layers = 3;
  CHECK_THROWS_AS(read(file, kLlama, spec_of(weight_specs(wider), "blocks.2.norm1.weight")), Error);
}

TEST_CASE("adapters are read back: B is permuted, and one alpha holds every scale") {
  const TempFolder folder;
  const std::vector<WeightSpec> specs = weight_specs(small());
  std::vector<AdapterPart> parts = {{"model.layers.0.self_attn.q_proj.weight", 3, 2, {}, {}},
                                    {"model.layers.1.mlp.down_proj.weight", 2, 0.5f, {}, {}},
                                    {"lm_head.weight", 4, 1.5f, {}, {}}};
  const int64_t in[] = {64, 96, 64}, out[] = {64, 64, 48};
  Random random(9, 1);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].a.resize(static_cast<size_t>(parts[i].rank * in[i]));
    parts[i].b.resize(static_cast<size_t>(parts[i].rank * out[i]));
    for (std::vector<float>* values : {&parts[i].a, &parts[i].b}) {
      for (float& x : *values) x = static_cast<float>(random.normal());
    }
  }
  ThreadPool pool(1);
  save_gguf_adapter(parts, kLlama, specs, folder / "x.gguf", pool);
  const Gguf file(folder / "x.gguf");
  CHECK(file.metadata().get<std::string_view>("general.type") == "adapter");
  CHECK(file.metadata().get<double>("adapter.lora.alpha") == 6);
  const std::vector<float> b = file.values(file.at("blk.0.attn_q.weight.lora_b", {64, 3}));
  for (size_t k = 0; k < 3; ++k) CHECK(b[3 + k] == parts[0].b[8 * 3 + k]);  // Row 8 pairs with row 0.
  const std::vector<AdapterPart> found = read_gguf_adapter(file, kLlama, specs);
  REQUIRE(found.size() == parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    CHECK(found[i].weight == parts[i].weight);
    CHECK(found[i].rank == parts[i].rank);
    CHECK(found[i].a == parts[i].a);
    REQUIRE(found[i].b.size() == parts[i].b.size());
    for (size_t k = 0; k < found[i].b.size(); ++k) {
      CHECK(found[i].scale * found[i].b[k] == doctest::Approx(parts[i].scale * parts[i].b[k]).epsilon(1e-6));
    }
  }
  CHECK_THROWS_AS(read_gguf_adapter(file, kQwen2, specs), Error);
  ModelConfig smaller = small();
  smaller.n_layers = 1;
  CHECK_THROWS_WITH_AS(
      read_gguf_adapter(file, kLlama, weight_specs(smaller)),
      ((folder / "x.gguf").string() + ": blk.1.ffn_down.weight.lora_a belongs to no matrix of the model").c_str(),
      Error);
  parts[1].b.pop_back();
  CHECK_THROWS_AS(save_gguf_adapter(parts, kLlama, specs, folder / "y.gguf", pool), Error);
  parts[1].weight = "model.layers.9.mlp.down_proj.weight";
  CHECK_THROWS_AS(save_gguf_adapter(parts, kLlama, specs, folder / "y.gguf", pool), Error);
  CHECK_THROWS_AS(save_gguf_adapter({}, kLlama, specs, folder / "y.gguf", pool), Error);
}

// From another implementation, in double precision, of exactly the numbers in each file.
TEST_CASE("a model from a GGUF file of every type gives the reference's logits") {
  const auto folder = shared("interchange/gguf");
  if (!folder) return;
  const ModelConfig config = {.vocab_size = 259,
                              .dim = 256,
                              .n_layers = 1,
                              .n_heads = 4,
                              .n_kv_heads = 2,
                              .ffn_dim = 256,
                              .ffn = FeedForward::swiglu,
                              .ffn_bias = false,
                              .context = 64,
                              .dropout = 0};
  const Safetensors expected(*folder / "expected.safetensors");
  Graph graph;
  const Tensor hidden =
      transformer(graph, config, {graph.input("tokens", i32, {2, 24}), graph.input("positions", i32, {2, 24})});
  const Tensor logits = lm_head(config, hidden);
  Program program = compile(graph, {logits}, {.pool = ThreadPool(1)});
  program.write("tokens", expected.values<int32_t>("tokens"));
  std::vector<int32_t> positions(48);
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int32_t>(i % 24);
  program.write("positions", positions);
  for (const std::string name : {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_q6_k"}) {
    CAPTURE(name);
    const Gguf file(*folder / (name + ".gguf"));
    for (WeightSpec spec : weight_specs(config)) {
      if (spec.name == "lm_head.weight") spec.parts[0].gguf = "token_embd.weight";  // Tied.
      GgufWeights(file, kLlama).read(spec, 0, spec.shape[0], program.data<float>(spec.name));
    }
    program.run();
    const std::vector<double> reference = expected.values<double>("logits." + name);
    const std::span<const float> found = program.read<float>(logits);
    check_close(name, found, reference, 1e-4);
  }
}

}  // namespace tinyllm::test
