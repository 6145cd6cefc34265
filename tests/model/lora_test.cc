#include <doctest/doctest.h>

#include <tinyllm/model/gguf_adapter.h>
#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/gradients.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include "close.h"
#include "error_of.h"
#include "model/packed_model.h"
#include "model/sample_model.h"
#include "temp_folder.h"
#include "test_data.h"

#include <deque>
#include <limits>

namespace tinyllm::test {
namespace {

constexpr double kLogits = 1e-4, kGradients = 1e-3;  // What the fixtures ask of an FP32 implementation.
constexpr const char* kPrefix = "base_model.model.";

ModelConfig grouped() {
  return {.dim = 32,
          .n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 2,
          .ffn_dim = 64,
          .ffn = FeedForward::swiglu,
          .ffn_bias = false,
          .context = 48};
}

// A model whose adapters do something.
Model adapted(const Lora& lora, ModelConfig config = grouped()) {
  Model model = fresh_model(config);
  add_lora(model, lora, 7);
  Random random(3);
  for (const WeightSpec& spec : adapter_specs(model.config)) {
    for (float& x : model.weights->at(spec.name).as<float>()) x = static_cast<float>(random.normal()) * 0.1f;
  }
  return model;
}

std::vector<float> logits_of(const Model& model) {
  Graph graph;
  const Shape shape = {1, 12};
  const Tensor hidden =
      transformer(graph, model.config, {graph.input("tokens", i32, shape), graph.input("positions", i32, shape)});
  const Tensor logits = lm_head(model.config, hidden);
  Program program = compile(graph, {logits}, {.pool = ThreadPool(1), .store = model.weights.get()});
  for (int32_t i = 0; i < 12; ++i) {
    program.data<int32_t>("tokens")[static_cast<size_t>(i)] = 7 * i + 1;
    program.data<int32_t>("positions")[static_cast<size_t>(i)] = i;
  }
  program.run();
  const auto values = program.read<float>(logits);
  return {values.begin(), values.end()};
}

// Adapters in the files of PEFT, written by hand: what others would write.
struct Files {
  Json config = {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"target_modules", {"q_proj", "v_proj"}}};
  std::vector<RawTensor> tensors;
  std::deque<std::vector<float>> values;
  std::deque<std::vector<BFloat16>> narrow;

  void add(const std::string& name, const Shape& shape, float value) {
    values.emplace_back(static_cast<size_t>(shape.size()), value);
    tensors.push_back({name, "F32", shape, std::as_bytes(std::span(values.back()))});
  }
  void add_adapter(const std::string& module, int64_t rank, int64_t in, int64_t out) {
    add(kPrefix + module + ".lora_A.weight", {rank, in}, 0.5f);
    add(kPrefix + module + ".lora_B.weight", {out, rank}, 0.25f);
  }
  void add_layers(std::initializer_list<int> layers, int64_t rank = 4) {
    for (const int layer : layers) {
      add_adapter(fmt::format("model.layers.{}.self_attn.q_proj", layer), rank, 32, 32);
      add_adapter(fmt::format("model.layers.{}.self_attn.v_proj", layer), rank, 32, 16);
    }
  }
  void write(const std::filesystem::path& folder) const {
    make_folder(folder);
    write_file(folder / kAdapterConfigFile, config.dump());
    save_safetensors(folder / kAdapterWeightsFile, tensors);
  }
};

Model load(const Files& files, ModelConfig config = grouped()) {
  const TempFolder folder;
  files.write(folder.path());
  Model model = fresh_model(config);
  load_lora(model, folder.path());
  return model;
}

std::string refusal(const Files& files) {
  return error_of([&] { load(files); });
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// ---- The fixtures: logits and gradients of an independent implementation in double.
// -----------------------------------

void check_fixture(const std::filesystem::path& folder, const std::filesystem::path& base) {
  CAPTURE(folder.filename().string());
  const Safetensors expected(folder / "expected.safetensors");
  const Shape shape = expected.at("tokens").shape;
  Model model{config_from_hugging_face(load_json_object(base / kConfigFile)), nullptr};
  model.config.context = std::max(model.config.context, shape[1]);
  ThreadPool pool(2);
  const WeightFiles files(base);
  load_weights(HuggingFaceWeights(files), weight_specs(model.config), pool, *model.weights);
  load_lora(model, folder);

  Graph graph;
  const Tensor hidden =
      transformer(graph, model.config, {graph.input("tokens", i32, shape), graph.input("positions", i32, shape)});
  const Tensor logits = lm_head(model.config, hidden);
  const Tensor loss = lm_loss(model.config, hidden, graph.input("targets", i32, shape));
  const std::vector<WeightSpec> specs = adapter_specs(model.config);
  std::vector<Tensor> adapters;
  for (const WeightSpec& spec : specs) adapters.push_back(graph.find(spec.name));
  const std::vector<Tensor> grads = gradients(loss, adapters);
  std::vector<Tensor> outputs = grads;
  outputs.push_back(logits);
  Program program = compile(graph, outputs, {.pool = pool, .store = model.weights.get()});
  const std::vector<int32_t> tokens = expected.values<int32_t>("tokens");
  program.write("tokens", tokens);
  const auto length = static_cast<size_t>(shape[1]);
  for (size_t i = 0; i < tokens.size(); ++i) {
    program.data<int32_t>("positions")[i] = static_cast<int32_t>(i % length);
    program.data<int32_t>("targets")[i] = i % length + 1 < length ? tokens[i + 1] : kIgnore;
  }
  program.run();
  check_close("logits", program.read<float>(logits), expected.values<double>("logits"), kLogits);
  size_t checked = 0;
  const Json samples = load_json_object(folder / "expected_grad_samples.json");
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto found = samples.find(specs[i].parts[0].hugging_face);
    if (found == samples.end()) continue;
    ++checked;
    std::vector<float> values;
    std::vector<double> wanted;
    for (const Json& pair : *found) {
      values.push_back(program.read<float>(grads[i])[pair[0].get<size_t>()]);
      wanted.push_back(pair[1].get<double>());
    }
    check_close(specs[i].name, values, wanted, kGradients);
  }
  CHECK(checked == samples.size());
}

}  // namespace

TEST_CASE("an adapter of PEFT gives the reference's logits and gradients") {
  const std::filesystem::path models = test_data("models");
  check_fixture(models / "lora_llama3_scaled", models / "llama3_scaled");
}

TEST_CASE("further adapters of PEFT give the reference's logits and gradients") {
  const auto models = shared("interchange/models");
  if (!models) return;
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    if (!has_adapters(entry.path())) continue;
    check_fixture(entry.path(), adapter_base(entry.path()));
  }
}

TEST_CASE("each part of a fused matrix has an adapter of its own, or none") {
  for (const std::vector<std::string>& targets :
       {std::vector<std::string>{"attn.qkv"}, {"q_proj", "v_proj"}, {"k_proj", "up_proj", "ffn.w2"}}) {
    Model model = adapted({.rank = 3, .alpha = 6, .targets = targets});
    const std::vector<float> apart = logits_of(model);
    CHECK(apart != logits_of(fresh_model(grouped())));
    merge_lora(model);
    check_close("merged", logits_of(model), apart, 1e-5);
  }
  const Model model = adapted({.rank = 3, .targets = {"v_proj"}});
  REQUIRE(adapter_parts(model).size() == 2);
  CHECK(adapter_parts(model)[1].weight == "model.layers.1.self_attn.v_proj.weight");
}

TEST_CASE("adapters are written in PEFT's files and read back the same") {
  const Lora kinds[] = {
      {.rank = 4, .alpha = 8},
      {.rank = 2, .alpha = 3, .rslora = true, .targets = {"q_proj", "down_proj"}},
      {.rank = 5,
       .modules = {{"model.layers.1.mlp.up_proj", {5, 0.75f}}, {"model.layers.0.self_attn.k_proj", {2, 3}}}}};
  for (const Lora& lora : kinds) {
    const TempFolder folder;
    const Model model = adapted(lora);
    save_lora(model, folder.path());
    Model other = fresh_model(grouped());
    load_lora(other, folder.path());
    CHECK(logits_of(other) == logits_of(model));
    CHECK(other.config.lora.modules == lora.modules);
    CHECK(other.config.lora.rslora == lora.rslora);
    const Json json = load_json_object(folder / kAdapterConfigFile);
    CHECK(json["r"] == lora.rank);
    CHECK(json["use_rslora"] == lora.rslora);
  }
  const TempFolder folder;
  save_lora(adapted({.rank = 4, .targets = {"attn.qkv"}}), folder.path());
  CHECK(load_json_object(folder / kAdapterConfigFile)["target_modules"] == Json({"q_proj", "k_proj", "v_proj"}));
  const Safetensors file(folder / kAdapterWeightsFile);
  CHECK(file.at("base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight").shape == Shape{16, 4});
}

TEST_CASE("scales, ranks and layers are those that PEFT's settings mean") {
  Files files;
  files.add_layers({0, 1});
  CHECK(adapter_parts(load(files))[0].scale == 2);  // 8 / 4.
  files.config["use_rslora"] = true;
  CHECK(adapter_parts(load(files))[0].scale == 4);  // 8 / sqrt(4).
  files.config["alpha_pattern"] = {{"layers.1.self_attn.v_proj", 1}, {"q_.*", 3}};
  const std::vector<AdapterPart> parts = adapter_parts(load(files));
  CHECK(parts[0].scale == 1.5f);
  CHECK(parts[1].scale == 4);
  CHECK(parts[3].scale == 0.5f);

  Files some;
  some.config["layers_to_transform"] = {1};
  some.config["target_modules"] = ".*self_attn\\.(q|v)_proj";
  some.add_layers({1});
  REQUIRE(adapter_parts(load(some)).size() == 2);
  CHECK(adapter_parts(load(some))[0].weight == "model.layers.1.self_attn.q_proj.weight");

  Files ranks;
  ranks.config["rank_pattern"] = {{"model.layers.0", 9}, {"0.self_attn.q_proj", 2}};  // The first is no end of a name.
  ranks.add_adapter("model.layers.0.self_attn.q_proj", 2, 32, 32);
  ranks.add_adapter("model.layers.0.self_attn.v_proj", 4, 32, 16);
  ranks.add_layers({1});
  CHECK(adapter_parts(load(ranks))[0].rank == 2);
  CHECK(adapter_parts(load(ranks))[0].scale == 4);  // 8 / 2.
}

TEST_CASE("adapters in BF16 are read") {
  Files files;
  files.add_layers({0, 1});
  for (RawTensor& tensor : files.tensors) {
    std::vector<BFloat16>& narrow = files.narrow.emplace_back(static_cast<size_t>(tensor.shape.size()));
    convert(std::span(reinterpret_cast<const float*>(tensor.bytes.data()), narrow.size()), std::span(narrow));
    tensor.dtype = "BF16";
    tensor.bytes = std::as_bytes(std::span(narrow));
  }
  CHECK(adapter_parts(load(files))[0].b == std::vector<float>(32 * 4, 0.25f));
}

TEST_CASE("adapters that do not fit are refused by name, never taken for zeros") {
  Files files;
  files.add_layers({0, 1});
  const auto with = [&](const char* field, const Json& value) {
    Files changed = files;
    changed.config[field] = value;
    return refusal(changed);
  };
  CHECK(has(with("peft_type", "IA3"), "peft_type: is \"IA3\", expected \"LORA\""));
  CHECK(has(with("use_dora", true), "use_dora: is true: DoRA cannot be read"));
  CHECK(has(with("lora_bias", true), "lora_bias: is true"));
  CHECK(has(with("bias", "all"), "bias: is \"all\", expected \"none\""));
  CHECK(has(with("layer_replication", {{0, 1}}), "repeated layers"));
  CHECK(has(with("r", 0), "r: is 0, expected"));
  CHECK(has(with("r", 3), "self_attn.q_proj.lora_A.weight is [4,32], expected [3,32]"));
  CHECK(has(with("target_modules", {"q_proj"}), "self_attn.v_proj, which adapter_config.json does not name"));
  CHECK(has(with("target_modules", {"q_proj", "v_proj", "o_proj"}), "o_proj.lora_A.weight is missing"));
  CHECK(has(with("target_modules", "("), "adapter_config.json"));

  Files prefix;
  prefix.add("model.layers.0.self_attn.q_proj.lora_A.weight", {4, 32}, 1);
  CHECK(has(refusal(prefix), "expected a name that begins with base_model.model."));
  Files stray = files;
  stray.add_adapter("model.layers.2.self_attn.q_proj", 4, 32, 32);
  CHECK(has(refusal(stray), "model.layers.2.self_attn.q_proj.lora_A.weight: the model has no such matrix"));
  Files head = files;
  head.add_adapter("lm_head", 4, 32, 32);
  CHECK(has(refusal(head), "adapters of embeddings and heads are not supported"));
  Files norm = files;
  norm.add(std::string(kPrefix) + "model.norm.weight", {32}, 1);
  CHECK(has(refusal(norm), "neither an adapter nor a weight that modules_to_save names"));
  Files saved = files;
  saved.config["modules_to_save"] = {"lm_head"};
  CHECK(has(refusal(saved), "has no weights for lm_head, which modules_to_save lists"));
  saved.add(std::string(kPrefix) + "lm_head.weight", {fresh_model(grouped()).config.vocab_size, 32},
            std::numeric_limits<float>::quiet_NaN());
  CHECK(has(refusal(saved), "lm_head.weight has a number that is not finite"));
  Files broken;
  broken.add(std::string(kPrefix) + "model.layers.0.self_attn.q_proj.lora_A.weight", {4, 32},
             std::numeric_limits<float>::infinity());
  CHECK(has(refusal(broken), "q_proj.lora_A.weight has a number that is not finite"));
  Files dora = files;
  dora.add(std::string(kPrefix) + "model.layers.0.self_attn.q_proj.lora_magnitude_vector", {32}, 1);
  CHECK(has(refusal(dora), "DoRA"));
}

TEST_CASE("weights that adapters bring along replace the model's, and a tied head becomes a matrix of its own") {
  ModelConfig config = grouped();
  config.tied_head = true;
  const Model plain = fresh_model(config);
  Files files;
  files.add_layers({0, 1});
  files.config["modules_to_save"] = {"lm_head", "norm"};
  files.add(std::string(kPrefix) + "lm_head.weight", {plain.config.vocab_size, 32}, 0.125f);
  files.add(std::string(kPrefix) + "model.norm.weight", {32}, 3);
  const Model model = load(files, config);
  CHECK_FALSE(model.config.tied_head);
  CHECK(model.weights->at("lm_head.weight").as<float>()[5] == 0.125f);
  CHECK(model.weights->at("norm.weight").as<float>()[5] == 3);
  CHECK(model.weights->at("tok_emb.weight").as<float>()[5] == plain.weights->at("tok_emb.weight").as<float>()[5]);
  const TempFolder folder;
  save_lora(model, folder.path());
  Model again = fresh_model(config);
  load_lora(again, folder.path());
  CHECK(logits_of(again) == logits_of(model));
  ThreadPool pool(1);
  const std::string refused = error_of([&] { save_gguf_adapter(model, folder / "x.gguf", pool); });
  CHECK(has(refused, "x.gguf: GGUF adapters cannot hold norm.weight, lm_head.weight, which modules_to_save"));

  files.config["ensure_weight_tying"] = true;
  const Model tied = load(files, config);
  CHECK(tied.config.tied_head);
  CHECK(tied.weights->at("tok_emb.weight").as<float>()[5] == 0.125f);

  const TempFolder apart;
  files.config["ensure_weight_tying"] = false;
  files.write(apart.path());
  Model packed = packed_model(plain, {.matrices = q8_0, .tables = q8_0});
  load_lora(packed, apart.path());
  std::vector<float> row(32);
  const Store::Entry& head = packed.weights->at("lm_head.weight");
  dequantize_row(head.type, head.shape, head.data, 5, row.data());
  CHECK(row[7] == doctest::Approx(0.125));
}

TEST_CASE("a folder of adapters alone opens with the model that it names") {
  const TempFolder folder;
  Model model = adapted({.rank = 2});
  Model base = fresh_model(grouped());
  save_model(base, folder / "base");
  model.base = folder / "base";
  save_model(model, folder / "tuned");
  CHECK_FALSE(std::filesystem::exists(folder / "tuned" / kWeightsFile));
  const Model found = load_model(folder / "tuned");
  CHECK(logits_of(found) == logits_of(model));
  CHECK(std::filesystem::equivalent(found.base, folder / "base"));
  std::filesystem::remove_all(folder / "base");
  CHECK(has(error_of([&] { load_model(folder / "tuned"); }), "base_model_name_or_path: there is no"));
}

TEST_CASE("adapters of earlier versions, one for all parts of a fused matrix, are read") {
  const TempFolder folder;
  const Model plain = fresh_model(grouped());
  std::deque<std::vector<float>> values;
  std::vector<NamedTensor> tensors;
  Random random(5);
  const auto add = [&](const std::string& name, const Shape& shape) {
    std::vector<float>& all = values.emplace_back(static_cast<size_t>(shape.size()));
    for (float& x : all) x = static_cast<float>(random.normal()) * 0.1f;
    tensors.push_back({name, f32, shape, all.data()});
  };
  for (const int layer : {0, 1}) {
    add(fmt::format("blocks.{}.attn.qkv.lora_a", layer), {3, 32});
    add(fmt::format("blocks.{}.attn.qkv.lora_b", layer), {64, 3});
  }
  write_file(folder / "adapter.json", R"({"rank": 3, "alpha": 6, "targets": ["attn.qkv"]})");
  save_safetensors(folder / "adapter.safetensors", tensors);
  Model model = fresh_model(grouped());
  load_lora(model, folder.path());
  // The same by hand: W += 2 B A.
  for (size_t layer = 0; layer < 2; ++layer) {
    const auto w = plain.weights->at(fmt::format("blocks.{}.attn.qkv.weight", layer)).as<float>();
    const std::vector<float>&a = values[2 * layer], &b = values[2 * layer + 1];
    for (size_t i = 0; i < 64; ++i) {
      for (size_t j = 0; j < 32; ++j) {
        for (size_t k = 0; k < 3; ++k) w[i * 32 + j] += 2 * b[i * 3 + k] * a[k * 32 + j];
      }
    }
  }
  check_close("logits", logits_of(model), logits_of(plain), 1e-5);
}

TEST_CASE("adapters that would make a weight infinite are not merged") {
  Model model = fresh_model({.dim = 32, .n_layers = 1, .n_heads = 2, .ffn_dim = 32, .context = 16});
  add_lora(model, {.rank = 2}, 1);
  for (const WeightSpec& spec : adapter_specs(model.config)) {
    for (float& x : model.weights->at(spec.name).as<float>()) x = 1e30f;
  }
  CHECK(has(error_of([&] { merge_lora(model); }), "with its adapter a weight is not finite"));
}

TEST_CASE("adapters are not merged into packed weights") {
  for (const Type type : kPackedTypes) {
    Model model = packed_model(fresh_model(grouped()), {.matrices = type, .tables = type});
    add_lora(model, {.rank = 2}, 1);
    CHECK(has(error_of([&] { merge_lora(model); }), "cannot be merged into packed weights"));
    CHECK(model.config.lora.rank == 2);
  }
}

}  // namespace tinyllm::test
