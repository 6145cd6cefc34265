#include <doctest/doctest.h>

#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/gradients.h>
#include <tinyllm/tensor/program.h>

#include "close.h"
#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

#include <fstream>

// Tiny models in the format of Hugging Face against an independent implementation in double precision: logits within
// 1e-4 of the largest one, gradients within 1e-3 of a tensor's largest sample. config.v5.json is the same model in the
// words of transformers 5.
namespace tinyllm::test {
namespace {

constexpr double kLogits = 1e-4, kGradients = 1e-3;

struct Fixture {
  std::filesystem::path folder;
  Safetensors expected;
  int64_t batch, tokens;

  explicit Fixture(const std::filesystem::path& path)
      : folder(path),
        expected(path / "expected.safetensors"),
        batch(expected.at("tokens").shape[0]),
        tokens(expected.at("tokens").shape[1]) {}

  ModelConfig config(const char* file) const {
    ModelConfig config = config_from_hugging_face(load_json_object(folder / file));
    config.context = std::max(config.context, tokens);
    return config;
  }
};

// The training graph of a fixture: logits, mean loss of the next tokens, and gradients.
struct Training {
  Graph graph;
  Tensor logits, loss;
  std::vector<WeightSpec> specs;
  std::vector<Tensor> grads;

  Training(const Fixture& fixture, const ModelConfig& config) : specs(weight_specs(config)) {
    const Shape shape = {fixture.batch, fixture.tokens};
    const Tensor tokens = graph.input("tokens", i32, shape), positions = graph.input("positions", i32, shape);
    const Tensor hidden = transformer(graph, config, {tokens, positions});
    logits = lm_head(config, hidden);
    loss = lm_loss(config, hidden, graph.input("targets", i32, shape));
    std::vector<Tensor> weights;
    for (const WeightSpec& spec : specs) weights.push_back(graph.find(spec.name));
    grads = gradients(loss, weights);
  }
};

void write_inputs(Program& program, const Fixture& fixture) {
  const std::vector<int32_t> tokens = fixture.expected.values<int32_t>("tokens");
  std::vector<int32_t> positions(tokens.size()), targets(tokens.size(), kIgnore);
  const auto length = static_cast<size_t>(fixture.tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    positions[i] = static_cast<int32_t>(i % length);
    if (i % length + 1 < length) targets[i] = tokens[i + 1];
  }
  program.write("tokens", tokens);
  program.write("positions", positions);
  program.write("targets", targets);
}

// The gradient of a tensor of the fixture: rows of one of ours.
std::span<const float> gradient_of(const std::string& name, const Training& training, const Program& program) {
  for (size_t i = 0; i < training.specs.size(); ++i) {
    const WeightSpec& spec = training.specs[i];
    const int64_t width = spec.shape.size() / spec.shape[0];
    int64_t row = 0;
    for (const WeightPart& part : spec.parts) {
      if (part.hugging_face == name) {
        return program.read<float>(training.grads[i])
            .subspan(static_cast<size_t>(row * width), static_cast<size_t>(part.rows * width));
      }
      row += part.rows;
    }
  }
  FAIL(fmt::format("no weight has the part {}", name));
  return {};
}

void check_gradients(const Fixture& fixture, const Training& training, const Program& program) {
  const Json samples = load_json_object(fixture.folder / "expected_grad_samples.json");
  for (const auto& [name, pairs] : samples.items()) {
    const std::span<const float> gradient = gradient_of(name, training, program);
    std::vector<double> expected;
    std::vector<float> found;
    for (const Json& pair : pairs) {
      found.push_back(gradient[pair[0].get<size_t>()]);
      expected.push_back(pair[1].get<double>());
    }
    check_close(name, found, expected, kGradients);
  }
}

void check_fixture(const std::filesystem::path& folder) {
  CAPTURE(folder.filename().string());
  const Fixture fixture(folder);
  for (const char* file : {"config.json", "config.v5.json"}) {
    const ModelConfig config = fixture.config(file);
    const Training training(fixture, config);
    ThreadPool pool(2);
    Store weights;
    const WeightFiles files(folder);
    load_weights(HuggingFaceWeights(files), training.specs, pool, weights);
    std::vector<Tensor> outputs = training.grads;
    outputs.insert(outputs.end(), {training.logits, training.loss});
    Program program = compile(training.graph, outputs, {.pool = pool, .weights = &weights});
    write_inputs(program, fixture);
    program.run();
    check_close("logits", program.read<float>(training.logits), fixture.expected.values<double>("logits"), kLogits);
    check_close("loss", program.read<float>(training.loss), fixture.expected.values<double>("next_token_loss"),
                kLogits);
    if (std::filesystem::exists(folder / "expected_grad_samples.json")) check_gradients(fixture, training, program);
  }
}

Json config_of(const char* name) { return load_json_object(test_data("models") / name / "config.json"); }

std::string error_with(Json config, const char* field, const Json& value) {
  config[field] = value;
  return error_of([&] { config_from_hugging_face(config); });
}

}  // namespace

TEST_CASE("models of five families give the reference's logits, loss and gradients") {
  for (const char* name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    check_fixture(test_data("models") / name);
  }
}

TEST_CASE("further models give the reference's logits, loss and gradients") {
  const auto models = shared("interchange/models");
  if (!models) return;
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    if (std::filesystem::exists(entry.path() / "config.json")) check_fixture(entry.path());
  }
}

TEST_CASE("a config of another kind is refused, and the error names the field") {
  const Json qwen = config_of("qwen3");
  CHECK(error_with(qwen, "model_type", "gemma3") ==
        "model_type gemma3 is not supported, expected one of llama, mistral, qwen2, qwen3, minicpm");
  CHECK(error_with(qwen, "hidden_act", "gelu") == "hidden_act: is \"gelu\", expected \"silu\"");
  CHECK(error_with(qwen, "num_experts", 8) == "num_experts: is 8: mixtures of experts are not supported");
  CHECK(error_with(qwen, "rope_scaling", {{"rope_type", "longrope"}, {"factor", 2}}) ==
        "rope_scaling: rope_type: is \"longrope\", expected default, linear, dynamic, llama3 or yarn");
  CHECK(error_with(qwen, "rope_scaling", {{"rope_type", "yarn"}}).find("factor") != std::string::npos);
  CHECK(error_with(qwen, "partial_rotary_factor", 0.5) ==
        "partial_rotary_factor: is 0.5, expected 1: whole heads are rotated");
}

TEST_CASE("a sliding window is what the family says when the config does not") {
  Json mistral = config_of("mistral");
  CHECK(config_from_hugging_face(mistral).window == 16);
  mistral["sliding_window"] = nullptr;
  CHECK(config_from_hugging_face(mistral).window == 0);
  mistral.erase("sliding_window");
  CHECK(config_from_hugging_face(mistral).window == 4096);
  Json qwen = config_of("qwen3");
  qwen["sliding_window"] = 8;
  CHECK(config_from_hugging_face(qwen).window == 0);
  qwen["use_sliding_window"] = true;
  qwen["max_window_layers"] = 1;
  const ModelConfig config = config_from_hugging_face(qwen);
  CHECK(config.window_of(0) == 0);
  CHECK(config.window_of(1) == 8);
}

TEST_CASE("shards: the index decides, and what is missing is named") {
  const std::filesystem::path source = test_data("models/qwen2_bf16_sharded");
  const TempFolder folder;
  std::filesystem::copy(source, folder.path(),
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  const std::string index = (folder / "model.safetensors.index.json").string();
  const std::filesystem::path shard = folder / "model-00002-of-00002.safetensors";
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 100);
  CHECK(error_of([&] { WeightFiles{folder.path()}; }).find(shard.string() + ": model.norm.weight: its data is at") ==
        0);
  std::filesystem::remove(shard);
  CHECK(error_of([&] { WeightFiles{folder.path()}; }) ==
        index + ": the shard model-00002-of-00002.safetensors is missing");
  const auto write_index = [&](const Json& weights) { std::ofstream(index) << Json{{"weight_map", weights}}.dump(); };
  write_index({{"no.such.weight", "model-00001-of-00002.safetensors"}});
  CHECK(error_of([&] { WeightFiles{folder.path()}; }) ==
        index + ": no.such.weight is not in model-00001-of-00002.safetensors");
  write_index({{"x", "../model-00001-of-00002.safetensors"}});
  CHECK(error_of([&] { WeightFiles{folder.path()}; }) ==
        index + ": the shard \"../model-00001-of-00002.safetensors\": expected the name of a file in the same folder");
}

TEST_CASE("a config that does not fit its weights is refused before memory is reserved") {
  const std::filesystem::path folder = test_data("models/qwen3");
  ModelConfig config = config_from_hugging_face(config_of("qwen3"));
  config.ffn_dim = int64_t{1} << 24;
  ThreadPool pool(1);
  Store store;
  const std::string message =
      error_of([&] { load_weights(HuggingFaceWeights(WeightFiles(folder)), weight_specs(config), pool, store); });
  CHECK(message ==
        (folder / "model.safetensors").string() +
            ": model.layers.0.mlp.gate_proj.weight is [96,64], expected [16777216,64] by the sizes in config.json");
  CHECK(store.entries().empty());
}

}  // namespace tinyllm::test
