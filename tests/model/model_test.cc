#include <doctest/doctest.h>

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/ops/gradients.h>
#include <tinyllm/tensor/program.h>

#include "model/sample_model.h"
#include "temp_folder.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace tinyllm::test {
namespace {

Model sample_model() {
  return fresh_model({.dim = 16, .n_layers = 1, .n_heads = 2, .ffn_dim = 24, .context = 32, .dropout = 0});
}

std::string error_of(const std::filesystem::path& folder) {
  try {
    load_model(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
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

TEST_CASE("a model with a gated network, shared key heads and no biases is read as it was saved, and may be trained") {
  const TempFolder folder;
  const Model model = fresh_model({.dim = 16,
                                   .n_layers = 2,
                                   .n_heads = 4,
                                   .n_kv_heads = 2,
                                   .ffn_dim = 24,
                                   .ffn_gated = true,
                                   .ffn_bias = false,
                                   .context = 32,
                                   .dropout = 0.1f});
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
  Program program = compile(graph, grads, {.threads = 1, .store = model.weights.get()});
  program.run();
  for (size_t i = 0; i < grads.size(); ++i) {
    CHECK(grads[i].shape() == weights[i].shape());
    const auto values = program.read<float>(grads[i]);
    CHECK_MESSAGE(std::any_of(values.begin(), values.end(), [](float x) { return x != 0; }), weights[i].name());
  }
}

TEST_CASE("TinyLlama's shape has as many weights as its model card says") {
  CHECK(parameter_count({.vocab_size = 32000,
                         .dim = 2048,
                         .n_layers = 22,
                         .n_heads = 32,
                         .n_kv_heads = 4,
                         .ffn_dim = 5632,
                         .ffn_gated = true,
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
      {"config is text", [](const auto& folder) { write_file(folder / kConfigFile, "hello"); }, "is not a JSON object"},
      {"another model", edit_config("\"tinyllm\"", "\"llama\""), "model_type is \"llama\", expected \"tinyllm\""},
      {"a field is gone", edit_config("num_hidden_layers", "other"), "num_hidden_layers is missing"},
      {"a field is text", edit_config("\"hidden_size\": 16", "\"hidden_size\": \"16\""),
       "hidden_size is \"16\", expected a whole"},
      {"a size is 0", edit_config("\"hidden_size\": 16", "\"hidden_size\": 0"), "hidden_size is 0, expected 1 to"},
      {"heads do not divide", edit_config("attention_heads\": 2", "attention_heads\": 3"),
       "hidden_size 16 over 3 heads"},
      {"key heads do not divide", edit_config("key_value_heads\": 2", "key_value_heads\": 3"),
       "2 heads over num_key_value_heads 3"},
      {"another activation", edit_config("\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu\""),
       "hidden_act is \"relu\", expected \"silu\" or \"swiglu\""},
      {"a switch is a number", edit_config("\"mlp_bias\": true", "\"mlp_bias\": 1"), "mlp_bias is 1, expected true"},
      {"another width", edit_config("\"intermediate_size\": 24", "\"intermediate_size\": 32"),
       "blocks.0.ffn.w1.weight is [24,16], expected [32,16]"},
      {"more layers", edit_config("hidden_layers\": 1", "hidden_layers\": 2"),
       "holds no tensor named blocks.1.norm1.weight"},
      {"another vocabulary", edit_config("\"vocab_size\": ", "\"vocab_size\": 1"), "the tokenizer has"},
      {"weights cut short", [](const auto& folder) { std::filesystem::resize_file(folder / kWeightsFile, 5000); },
       "is cut short or damaged"},
      {"a bit flipped",
       [](const auto& folder) {
         std::string bytes = read_file(folder / kWeightsFile);
         bytes[bytes.size() - 100] ^= 4;
         write_file(folder / kWeightsFile, bytes);
       },
       "the file is damaged"},
      {"a tensor too many",
       [](const auto& folder) {
         const Safetensors file(folder / kWeightsFile);
         std::vector<NamedTensor> tensors;
         for (const auto& entry : file.entries()) tensors.push_back({entry.name, f32, entry.shape, entry.bytes.data()});
         const float extra = 1;
         tensors.push_back({"extra", f32, {1}, &extra});
         save_safetensors(folder / kWeightsFile, tensors);
       },
       "extra is no weight of this model"},
  };
  const Model model = sample_model();
  for (const Case& c : cases) {
    const TempFolder folder;
    save_model(model, folder.path());
    c.damage(folder.path());
    const std::string found = error_of(folder.path());
    CHECK_MESSAGE(found.find(c.message) != std::string::npos, fmt::format("{}: {}", c.what, found));
  }
  CHECK(error_of("/no/such/folder") == "/no/such/folder: there is no such model folder");
}

TEST_CASE("a folder that cannot be written is named") {
  const Model model = sample_model();
  CHECK_THROWS_AS(save_model(model, "/dev/full"), Error);
  CHECK_THROWS_AS(save_model(model, "/proc/nothing/here"), Error);
}

}  // namespace tinyllm::test
