#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/model/quantize.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tensor/program.h>

#include "error_of.h"
#include "flip_bit.h"
#include "model/sample_model.h"
#include "temp_folder.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tinyllm::test {
namespace {

Model sample_model() {
  return fresh_model({.dim = 64, .n_layers = 1, .n_heads = 2, .ffn_dim = 96, .context = 32, .dropout = 0});
}

// What a graph over the hidden states of eight tokens gives.
std::vector<float> result_of(const Model& model, const std::function<Tensor(Tensor hidden)>& build) {
  Graph graph;
  const Tensor result =
      build(transformer(graph, model.config, {graph.input("t", i32, {1, 8}), graph.input("p", i32, {1, 8})}));
  Program program = compile(graph, {result}, {.pool = ThreadPool(2), .store = model.weights.get()});
  for (int32_t i = 0; i < 8; ++i) {
    program.data<int32_t>("t")[static_cast<size_t>(i)] = 10 + i;
    program.data<int32_t>("p")[static_cast<size_t>(i)] = i;
  }
  program.run();
  const auto values = program.read<float>(result);
  return {values.begin(), values.end()};
}

std::vector<float> logits_of(const Model& model) {
  return result_of(model, [&](Tensor hidden) { return lm_head(model.config, hidden); });
}

float loss_of(const Model& model) {
  return result_of(model, [&](Tensor hidden) {
    return lm_loss(model.config, hidden, hidden.graph().input("targets", i32, {1, 8}));
  })[0];
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    squares += std::pow(double(a[i]) - double(b[i]), 2);
    size += std::pow(double(b[i]), 2);
  }
  return std::sqrt(squares / size);
}

void edit(const std::filesystem::path& path, const std::string& from, const std::string& to) {
  std::string text = read_file(path);
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  write_file(path, text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a quantised folder opens as any other, and answers nearly as the model that it was") {
  const Model model = sample_model();
  const std::vector<float> exact = logits_of(model);
  // Relative errors of a matrix of normal numbers: about 2^-8 / sqrt(3) of the greatest, 2^-4 / sqrt(3) of it; some
  // matrices follow one another.
  const std::pair<WeightTypes, double> cases[] = {{{q8_0, q8_0}, 0.03},
                                                  {{q8_0, f32}, 0.03},
                                                  {{q4_0, q8_0}, 0.25},
                                                  {{q4_0, q4_0}, 0.3},
                                                  {{packed_bf16, packed_bf16}, 0.01}};
  for (const auto& [types, allowed] : cases) {
    const TempFolder folder;
    write_file(folder / kAdapterConfigFile, "of a model that was there before");
    save_quantized(model, types, folder.path(), ThreadPool(2));
    const Model loaded = load_model(folder.path());
    CHECK(loaded.config.types == types);
    CHECK(distance(logits_of(loaded), exact) < allowed);
    CHECK(distance(logits_of(loaded), exact) > 0);
    CHECK(loss_of(loaded) == doctest::Approx(loss_of(model)).epsilon(0.02));
  }
}

TEST_CASE("weights of 16 bits are read as floats, and packed as they are") {
  const Model model = sample_model();
  const TempFolder folder;
  save_quantized(model, {packed_bf16, packed_bf16}, folder.path(), ThreadPool(1));
  const std::vector<float> packed = logits_of(load_model(folder.path()));
  // The same file, said to be of floats: BF16 matrices, and what is F32 there becomes F16, which rounds it.
  edit(folder / kConfigFile, "quantization_config", "something");
  const std::filesystem::path path = folder / kWeightsFile;
  const Safetensors file(path);
  std::vector<std::vector<std::byte>> bytes;
  std::vector<RawTensor> tensors;
  for (const Safetensors::Entry& entry : file.entries()) {
    bytes.emplace_back(entry.size);
    file.read(entry, bytes.back());
    if (entry.dtype == "F32") {
      std::vector<Half> halves(static_cast<size_t>(entry.shape.size()));
      convert(file.values<float>(entry.name), std::span(halves));
      bytes.back().resize(entry.size / 2);
      std::ranges::copy(std::as_bytes(std::span(halves)), bytes.back().begin());
    }
    tensors.push_back({entry.name, entry.dtype == "F32" ? "F16" : entry.dtype, entry.shape, bytes.back()});
  }
  save_safetensors(path, tensors);
  const Model loaded = load_model(folder.path());
  for (const auto& [name, expected] : {std::pair{"norm.weight", 1.0f}, {"blocks.0.ffn.w1.bias", 0.0f}}) {
    for (const float x : loaded.weights->at(name).as<float>()) CHECK(x == expected);
  }
  std::vector<BFloat16> matrix(static_cast<size_t>(64 * 96));
  convert(model.weights->at("blocks.0.ffn.w2.weight").as<float>(), std::span(matrix));
  std::vector<float> rounded(matrix.size());
  convert(std::span<const BFloat16>(matrix), rounded);
  CHECK(std::ranges::equal(loaded.weights->at("blocks.0.ffn.w2.weight").as<float>(), rounded));
  // Sums of products of the same numbers, in another order.
  CHECK(distance(logits_of(loaded), packed) < 1e-5);
}

TEST_CASE("quantised files are read with their own shapes and types") {
  const TempFolder folder;
  save_quantized(sample_model(), {q4_0, q8_0}, folder.path(), ThreadPool(1));
  const Safetensors file(folder / kWeightsFile);
  CHECK_NOTHROW(file.at("blocks.0.ffn.w2.weight", "U8", {64, 48}));
  CHECK_NOTHROW(file.at("blocks.0.ffn.w2.weight_scale", "F16", {64, 3}));
  CHECK_NOTHROW(file.at("blocks.0.ffn.w1.bias", "F32", {96}));
  CHECK_NOTHROW(file.at("lm_head.weight", "I8", {sample_model().config.vocab_size, 64}));
  const TempFolder half;
  save_quantized(sample_model(), {packed_bf16, packed_bf16}, half.path(), ThreadPool(1));
  const Safetensors halves(half / kWeightsFile);
  CHECK_NOTHROW(halves.at("blocks.0.ffn.w2.weight", "BF16", {64, 96}));
  CHECK_THROWS_AS(halves.at("blocks.0.ffn.w2.weight_scale"), Error);
}

TEST_CASE("what is wrong with a quantised folder is named") {
  struct Case {
    const char* what;
    std::function<void(const std::filesystem::path&)> damage;
    const char* message;
  };
  const auto edit_config = [](const char* from, const char* to) {
    return [=](const std::filesystem::path& folder) { edit(folder / kConfigFile, from, to); };
  };
  const Case cases[] = {
      {"another type", edit_config("\"matrices\": \"q4_0\"", "\"matrices\": \"q8_0\""),
       "blocks.0.attn.qkv.weight is [192,32], expected [192,64]"},
      {"a type of the tables", edit_config("\"tables\": \"q8_0\"", "\"tables\": \"q5_1\""),
       "quantization_config: field tables: is \"q5_1\", expected f32, q8_0, q4_0 or bf16"},
      {"no types", edit_config("\"matrices\"", "\"others\""), "quantization_config: field matrices: missing"},
      {"not said to be quantised", edit_config("quantization_config", "something"),
       "tok_emb.weight is I8, expected F32"},
      {"not an object", edit_config("\"quantization_config\": {", "\"quantization_config\": 8, \"x\": {"),
       "quantization_config: is a number, expected an object"},
      {"more layers", edit_config("hidden_layers\": 1", "hidden_layers\": 1000000"),
       "tensors, too few for 1000000 layers"},
      {"sizes of no whole blocks", edit_config("\"intermediate_size\": 96", "\"intermediate_size\": 100"),
       "intermediate_size is 100, expected a multiple of 32 for q4_0"},
      {"cut short", [](const auto& folder) { std::filesystem::resize_file(folder / kWeightsFile, 9000); },
       "is cut short or damaged"},
      {"a bit flipped", [](const auto& folder) { flip_bit(folder / kWeightsFile); }, "the file is damaged"},
  };
  for (const Case& c : cases) {
    const TempFolder folder;
    save_quantized(sample_model(), {q4_0, q8_0}, folder.path(), ThreadPool(1));
    c.damage(folder.path());
    const std::string found = error_of([&] { load_model(folder.path()); });
    CHECK_MESSAGE(found.find(c.message) != std::string::npos, fmt::format("{}: {}", c.what, found));
  }
}

TEST_CASE("what cannot be quantised, or not written, leaves nothing behind") {
  const TempFolder folder;
  const std::filesystem::path to = folder / "to";
  const auto saving = [&](const Model& model, WeightTypes types) {
    return error_of([&] { save_quantized(model, types, to, ThreadPool(1)); });
  };
  Model odd = fresh_model({.dim = 48, .n_layers = 1, .n_heads = 2, .ffn_dim = 64, .context = 32});
  CHECK(saving(odd, {q8_0, f32}) == "config: hidden_size is 48, expected a multiple of 32 for q8_0");
  Model broken = sample_model();
  broken.weights->at("lm_head.weight").as<float>()[5] = INFINITY;
  CHECK(saving(broken, {q8_0, q8_0}) == "quantize: lm_head.weight: a weight is inf: expected a number to quantise");
  Model adapted = sample_model();
  add_lora(adapted, {.rank = 2}, 1);
  CHECK(saving(adapted, {q8_0, f32}) == "quantize: the model has adapters; merge them first");
  CHECK(error_of([&] {
          save_quantized(sample_model(), {q8_0, f32}, to, ThreadPool(1), [](const Progress&) { return false; });
        }) == "stopped; nothing was written");
  CHECK_FALSE(std::filesystem::exists(to));

  save_quantized(sample_model(), {q8_0, f32}, to, ThreadPool(1));
  Model loaded = load_model(to);
  CHECK(saving(loaded, {q4_0, f32}) == "quantize: the model is quantised already");
  CHECK(error_of([&] { save_model(loaded, folder / "again"); }).find("is packed q8_0, not f32") != std::string::npos);
}

}  // namespace tinyllm::test
