#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/ops/gradients.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tensor/program.h>

#include "error_of.h"
#include "flip_bit.h"
#include "model/sample_model.h"
#include "temp_folder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

namespace tinyllm::test {
namespace {

Model sample_model() {
  return fresh_model({.dim = 16, .n_layers = 1, .n_heads = 2, .ffn_dim = 24, .context = 32, .dropout = 0});
}

std::string load_error(const std::filesystem::path& folder) {
  return error_of([&] { load_model(folder); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a model is read as it was saved") {
  const TempFolder folder;
  const Model model = sample_model();
  save_model(model, folder / "new/folder");
  const Model loaded = load_model(folder / "new/folder");
  CHECK(loaded.config == model.config);
  for (const WeightSpec& spec : weight_specs(model.config)) {
    const auto a = model.weights->at(spec.name).as<float>();
    const auto b = loaded.weights->at(spec.name).as<float>();
    REQUIRE(a.size() == b.size());
    CHECK(std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
  }
}

TEST_CASE("a model with another network, shared key heads and no biases is read as it was saved, and may be trained") {
  for (const FeedForward kind : {FeedForward::swiglu, FeedForward::relu2}) {
    const TempFolder folder;
    Random random(4);
    const Model model = fresh_model({.dim = 16,
                                     .n_layers = 2,
                                     .n_heads = 4,
                                     .n_kv_heads = 2,
                                     .ffn_dim = 24,
                                     .ffn = kind,
                                     .ffn_bias = false,
                                     .context = 32,
                                     .dropout = 0.1f});
    // Where a block adds nothing yet, nothing before it has a gradient.
    for (const WeightSpec& spec : weight_specs(model.config)) {
      if (spec.role != WeightRole::matrix || spec.init_std > 0) continue;
      for (float& x : model.weights->at(spec.name).as<float>()) x = 0.02f * static_cast<float>(random.normal());
    }
    save_model(model, folder.path());
    CHECK(load_model(folder.path()).config == model.config);

    Graph graph;
    const Tensor hidden = transformer(graph, model.config,
                                      {graph.input("tokens", i32, {2, 9}),
                                       graph.input("positions", i32, {2, 9}),
                                       {},
                                       {.step = graph.input("step", i32, {1})}});
    std::vector<Tensor> weights;
    for (const WeightSpec& spec : weight_specs(model.config)) {
      if (spec.name != "lm_head.weight") weights.push_back(graph.find(spec.name));
    }
    const std::vector<Tensor> grads = gradients(sum(mul(hidden, hidden)), weights);
    Program program = compile(graph, grads, {.pool = ThreadPool(1), .store = model.weights.get()});
    program.run();
    for (size_t i = 0; i < grads.size(); ++i) {
      CHECK(grads[i].shape() == weights[i].shape());
      const auto values = program.read<float>(grads[i]);
      CHECK_MESSAGE(std::any_of(values.begin(), values.end(), [](float x) { return x != 0; }), weights[i].name());
    }
  }
}

TEST_CASE("TinyLlama's shape has as many weights as its model card says") {
  CHECK(parameter_count({.vocab_size = 32000,
                         .dim = 2048,
                         .n_layers = 22,
                         .n_heads = 32,
                         .n_kv_heads = 4,
                         .ffn_dim = 5632,
                         .ffn = FeedForward::swiglu,
                         .ffn_bias = false,
                         .context = 2048}) == 1'100'048'384);
}

TEST_CASE("what is wrong in a model folder is named") {
  struct Case {
    const char* what;
    std::function<void(const std::filesystem::path&)> damage;
    const char* message;
  };
  const auto edit_config = [](const char* from, const char* to) {
    return [=](const std::filesystem::path& folder) {
      write_file(folder / kConfigFile, replaced(read_file(folder / kConfigFile), from, to));
    };
  };
  const auto remove = [](const char* name) {
    return [=](const std::filesystem::path& folder) { std::filesystem::remove(folder / name); };
  };
  const Case cases[] = {
      {"no config", remove(kConfigFile), "config.json: cannot be opened"},
      {"no tokenizer", remove(kTokenizerFile), "tokenizer.model: cannot be opened"},
      {"no weights", remove(kWeightsFile), "model.safetensors: cannot be opened"},
      {"config is text", [](const auto& folder) { write_file(folder / kConfigFile, "hello"); },
       "config.json: line 1, byte 1: is not JSON"},
      {"config is a list", [](const auto& folder) { write_file(folder / kConfigFile, "[1]"); },
       "config.json: is a list, expected a JSON object"},
      {"config is deep",
       [](const auto& folder) { write_file(folder / kConfigFile, R"({"vocab_size":)" + std::string(80000, '[')); },
       "nested deeper than 64 levels"},
      {"another model", edit_config("\"tinyllm\"", "\"gemma3\""),
       "model_type gemma3 is not supported, expected one of llama"},
      {"another family, with our weights", edit_config("\"tinyllm\"", "\"llama\""),
       "tensor model.embed_tokens.weight is missing"},
      {"a field is gone", edit_config("num_hidden_layers", "other"), "field num_hidden_layers: missing"},
      {"a field is text", edit_config("\"hidden_size\": 16", "\"hidden_size\": \"16\""),
       "field hidden_size: is \"16\", expected a whole"},
      {"a size is 0", edit_config("\"hidden_size\": 16", "\"hidden_size\": 0"), "hidden_size is 0, expected 1 to"},
      {"heads do not divide", edit_config("attention_heads\": 2", "attention_heads\": 3"),
       "hidden_size 16 over 3 heads"},
      {"key heads do not divide", edit_config("key_value_heads\": 2", "key_value_heads\": 3"),
       "2 heads over num_key_value_heads 3"},
      {"another activation", edit_config("\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu\""),
       "field hidden_act: is \"relu\", expected one of silu, swiglu, relu2"},
      {"a switch is a number", edit_config("\"mlp_bias\": true", "\"mlp_bias\": 1"),
       "field mlp_bias: is 1, expected true"},
      {"a number is too large", edit_config("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e39"),
       "field rms_norm_eps: is 1e+39, expected at most 3.4e38"},
      {"a number is null", edit_config("\"rope_theta\": 10000.0", "\"rope_theta\": null"), "field rope_theta: missing"},
      {"another width", edit_config("\"intermediate_size\": 24", "\"intermediate_size\": 32"),
       "blocks.0.ffn.w1.weight is [24,16], expected [32,16]"},
      {"more layers", edit_config("hidden_layers\": 1", "hidden_layers\": 2"),
       "tensor blocks.1.norm1.weight is missing"},
      {"a million layers", edit_config("hidden_layers\": 1", "hidden_layers\": 1000000"),
       "holds 11 tensors, too few for 1000000 layers"},
      {"another tokenizer", edit_config("\"tokenizer_hash\": \"", "\"tokenizer_hash\": \"0"), "tokenizer_hash: is"},
      {"a tokenizer of another hash",
       [](const auto& folder) {
         save_config(load_config(folder / kConfigFile), folder / kConfigFile, uint64_t{0x123});
       },
       "expected 0000000000000123 as in config.json"},
      {"another vocabulary", edit_config("\"vocab_size\": ", "\"vocab_size\": 1"), "tok_emb.weight is"},
      {"too small a vocabulary", edit_config("\"vocab_size\": ", "\"vocab_size\": 9, \"was\": "), "the tokenizer has"},
      {"weights cut short", [](const auto& folder) { std::filesystem::resize_file(folder / kWeightsFile, 5000); },
       "is cut short or damaged"},
      {"a bit flipped", [](const auto& folder) { flip_bit(folder / kWeightsFile); }, "the file is damaged"},
      {"a tensor too many",
       [](const auto& folder) {
         const Safetensors file(folder / kWeightsFile);
         std::vector<NamedTensor> tensors;
         std::vector<std::vector<float>> values;
         for (const auto& entry : file.entries()) {
           values.push_back(file.values<float>(entry.name));
           tensors.push_back({entry.name, f32, entry.shape, values.back().data()});
         }
         const float extra = 1;
         tensors.push_back({"extra", f32, {1}, &extra});
         save_safetensors(folder / kWeightsFile, tensors);
       },
       "extra is not a weight of this model"},
  };
  const Model model = sample_model();
  for (const Case& c : cases) {
    const TempFolder folder;
    save_model(model, folder.path());
    c.damage(folder.path());
    const std::string found = load_error(folder.path());
    CHECK_MESSAGE(found.find(c.message) != std::string::npos, fmt::format("{}: {}", c.what, found));
    CHECK(found.size() < 400);
  }
  CHECK(load_error("/no/such/folder") == "/no/such/folder: there is no such model folder or GGUF file");
}

TEST_CASE("a folder that was written before tokenizers were recorded is read") {
  const TempFolder folder;
  const Model model = sample_model();
  save_model(model, folder.path());
  CHECK(load_tokenizer_hash(folder / kConfigFile) == model.tokenizer->hash());
  save_config(model.config, folder / kConfigFile);
  CHECK_FALSE(load_tokenizer_hash(folder / kConfigFile));
  CHECK_NOTHROW(load_model(folder.path()));
}

TEST_CASE("a model is read on the pool that was given, and no other thread is started") {
  const TempFolder folder;
  save_model(sample_model(), folder.path());
  const auto threads = [] { return names_in("/proc/self/task").size(); };
  const ThreadPool pool(1);
  const size_t before = threads();
  size_t most = 0;
  const OnProgress watch = [&](const Progress&) {
    most = std::max(most, threads());
    return true;
  };
  load_model(folder.path(), {.on_progress = watch, .pool = pool});
  CHECK(most > 0);
  CHECK(most <= before);
}

TEST_CASE("weights that do not fit are refused before memory is reserved for them") {
  const TempFolder folder;
  const Model model = sample_model();
  save_model(model, folder.path());
  ModelConfig wide = model.config;
  wide.dim = int64_t{1} << 22;
  wide.n_heads = wide.dim / 2;
  Model other{wide, std::make_shared<SentencePieceTokenizer>(sample_tokenizer())};
  CHECK_THROWS_AS(load_weights(other, weight_specs(wide), folder / kWeightsFile), Error);
  CHECK(other.weights->entries().empty());
}

TEST_CASE("sizes whose sum wraps around make no model") {
  const ModelConfig config{.vocab_size = 300,
                           .dim = 1048576,
                           .n_layers = 82117,
                           .n_heads = 1048576 / 64,
                           .ffn_dim = 16454663,
                           .ffn = FeedForward::swiglu,
                           .ffn_bias = false};
  CHECK_THROWS_WITH_AS(check(config),
                       "config: 82117 layers of hidden_size 1048576 and intermediate_size 16454663: too many weights, "
                       "expected at most 2^50",
                       Error);
  CHECK_THROWS_AS(parameter_count({.dim = 1 << 24, .n_layers = 1 << 24, .ffn_dim = 1 << 24}), Error);
}

TEST_CASE("what JSON cannot say is not saved") {
  const TempFolder folder;
  for (const float bad : {INFINITY, -INFINITY, NAN}) {
    const ModelConfig configs[] = {{.norm_eps = bad}, {.rope_base = bad}, {.dropout = bad}};
    for (const ModelConfig& config : configs) CHECK_THROWS_AS(save_config(config, folder / kConfigFile), Error);
    CHECK_THROWS_AS(check(ModelConfig{.lora = {.rank = 2, .alpha = bad}}), Error);
  }
  CHECK_FALSE(std::filesystem::exists(folder / kConfigFile));
}

TEST_CASE("what is wrong with adapters is named") {
  const std::pair<std::string, const char*> cases[] = {
      {"hello", "adapter_config.json: line 1, byte 1: is not JSON"},
      {std::string(80000, '['), "nested deeper than 64 levels"},
      {R"({"r": 4, "lora_alpha": 8})", "field target_modules: missing"},
      {R"({"r": 1e30, "lora_alpha": 8, "target_modules": ["up_proj"]})", "field r: is 1e+30, expected a whole number"},
      {R"({"r": 1000000, "lora_alpha": 8, "target_modules": ["up_proj"]})", "r: is 1000000, expected 1 to 4096"},
      {R"({"r": 2, "lora_alpha": 1e39, "target_modules": ["up_proj"]})", "field lora_alpha: is 1e+39"},
      {R"({"r": 2, "lora_alpha": 8, "target_modules": [")" + std::string(5000, 'x') + R"("]})",
       "model.layers.0.mlp.up_proj, which adapter_config.json does not name"},
      {R"({"r": 4096, "lora_alpha": 8, "target_modules": ["up_proj"]})", "lora_A.weight is [2,16], expected [4096,16]"},
  };
  const TempFolder folder;
  Model model = sample_model();
  add_lora(model, {.rank = 2, .targets = {"ffn.w1"}}, 1);
  save_model(model, folder.path());
  CHECK_NOTHROW(load_model(folder.path()));
  for (const auto& [json, message] : cases) {
    write_file(folder / kAdapterConfigFile, json);
    const std::string found = load_error(folder.path());
    CHECK_MESSAGE(found.find(message) != std::string::npos, found);
    CHECK(found.size() < 400);
  }
}

TEST_CASE("a folder instead of a file is an error") {
  for (const char* name : {kConfigFile, kWeightsFile, kAdapterConfigFile}) {
    const TempFolder folder;
    save_model(sample_model(), folder.path());
    std::filesystem::remove(folder / name);
    std::filesystem::create_directory(folder / name);
    CHECK(load_error(folder.path()).find(std::string(name) + ": is not a regular file") != std::string::npos);
    CHECK_THROWS_AS(save_model(sample_model(), folder.path()), Error);
  }
}

TEST_CASE("a folder that cannot be written is named") {
  const Model model = sample_model();
  CHECK_THROWS_AS(save_model(model, "/dev/full"), Error);
  CHECK_THROWS_AS(save_model(model, "/proc/nothing/here"), Error);
}

}  // namespace tinyllm::test
