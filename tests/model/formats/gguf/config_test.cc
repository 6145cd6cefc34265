#include <tinyllm/model/formats/gguf/config.h>

#include <doctest/doctest.h>

#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

Json llama() {
  return {{"model_type", "llama"},       {"vocab_size", 40},        {"hidden_size", 32},
          {"intermediate_size", 48},     {"num_hidden_layers", 2},  {"num_attention_heads", 4},
          {"num_key_value_heads", 2},    {"head_dim", 16},          {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5},        {"rope_theta", 500000.0},  {"rope_scaling", nullptr},
          {"tie_word_embeddings", true}, {"attention_bias", false}, {"mlp_bias", false}};
}

void add_zeros(GgufWriter& writer, const std::string& name, const Shape& shape) {
  writer.add_tensor(name, GgufType::F32, shape,
                    [](int64_t, std::span<float> out) { std::fill(out.begin(), out.end(), 0.f); });
}

// A file with the hyper-parameters and, of the tensors, those that a config is made from.
void save(const Json& config, const std::filesystem::path& path) {
  GgufWriter writer;
  add_gguf_config(config, writer);
  add_zeros(writer, "token_embd.weight", {config["vocab_size"], config["hidden_size"]});
  if (!config.value("tie_word_embeddings", false)) add_zeros(writer, "output.weight", {1});
  if (config.value("attention_bias", false)) add_zeros(writer, "blk.0.attn_q.bias", {1});
  if (config.value("mlp_bias", false)) add_zeros(writer, "blk.0.ffn_up.bias", {1});
  ThreadPool pool(1);
  writer.save(path, pool);
}

Json round_trip(const Json& config) {
  const TempFolder folder;
  save(config, folder / "x.gguf");
  return gguf_config(Gguf(folder / "x.gguf"));
}

// The fields that both have are equal; a field that is missing on one side is its default, `none`.
void check_same(const Json& found, const Json& expected) {
  for (const auto& [field, value] : expected.items()) {
    CAPTURE(field);
    if (!found.contains(field)) continue;
    if (value.is_number_float()) {
      CHECK(found[field].get<double>() == doctest::Approx(value.get<double>()).epsilon(1e-6));
    } else {
      CHECK(found[field] == value);
    }
  }
}

std::string fault_of(const Json& config) {
  return error_of([&] { round_trip(config); });
}

// A Llama whose keys can be replaced, one after the other.
struct Keys {
  std::map<std::string, uint32_t> sizes = {{"llama.context_length", 128},     {"llama.embedding_length", 32},
                                           {"llama.block_count", 2},          {"llama.feed_forward_length", 48},
                                           {"llama.attention.head_count", 4}, {"llama.attention.head_count_kv", 2}};
  std::map<std::string, float> reals = {{"llama.attention.layer_norm_rms_epsilon", 1e-5f}};
  std::map<std::string, std::string> texts = {{"general.architecture", "llama"}};
  std::map<std::string, std::vector<int32_t>> lists = {};
  std::vector<std::string> tensors = {};

  Json config() const {
    GgufWriter writer;
    for (const auto& [key, value] : sizes) writer.add(key, value);
    for (const auto& [key, value] : reals) writer.add(key, value);
    for (const auto& [key, value] : texts) writer.add(key, value);
    for (const auto& [key, value] : lists) writer.add(key, value);
    add_zeros(writer, "token_embd.weight", {40, 32});
    for (const std::string& name : tensors) add_zeros(writer, name, {4});
    const TempFolder folder;
    ThreadPool pool(1);
    writer.save(folder / "x.gguf", pool);
    return gguf_config(Gguf(folder / "x.gguf"));
  }
  std::string error() const {
    const std::string message = error_of([&] { config(); });
    const size_t end = message.find("x.gguf: ");
    return end == std::string::npos ? message : message.substr(end + 8);
  }
};

}  // namespace

TEST_CASE("a config of every family is read back") {
  Json mistral = llama(), qwen2 = llama(), qwen3 = llama(), minicpm = llama(), biased = llama();
  mistral.update({{"model_type", "mistral"}, {"sliding_window", 64}, {"tie_word_embeddings", false}});
  qwen2.update({{"model_type", "qwen2"}, {"use_sliding_window", false}, {"sliding_window", 4096}});
  qwen3.update({{"model_type", "qwen3"}, {"head_dim", 24}, {"rope_theta", 1e6}, {"rms_norm_eps", 1e-6}});
  minicpm.update({{"model_type", "minicpm"}, {"scale_emb", 12}, {"scale_depth", 1.4}, {"dim_model_base", 8}});
  biased.update({{"attention_bias", true}, {"mlp_bias", true}});
  const std::pair<Json, const char*> cases[] = {{llama(), "LlamaForCausalLM"},   {mistral, "MistralForCausalLM"},
                                                {qwen2, "Qwen2ForCausalLM"},     {qwen3, "Qwen3ForCausalLM"},
                                                {minicpm, "MiniCPMForCausalLM"}, {biased, "LlamaForCausalLM"}};
  for (const auto& [config, class_name] : cases) {
    CAPTURE(config.dump());
    const Json found = round_trip(config);
    check_same(found, config);
    CHECK(found["architectures"] == Json::array({class_name}));
    for (const char* field : {"vocab_size", "hidden_size", "num_key_value_heads", "rms_norm_eps", "rope_theta",
                              "tie_word_embeddings", "hidden_act", "num_hidden_layers"}) {
      CHECK(found.contains(field));
    }
    CHECK(found.contains("sliding_window") == (config["model_type"] == "mistral"));
    CHECK(found.contains("scale_depth") == (config["model_type"] == "minicpm"));
  }
  CHECK(round_trip(llama())["rms_norm_eps"].dump() == "1e-05");
}

TEST_CASE("a Mistral model without a window is read as a Llama model, which is the same") {
  Json config = llama();
  config.update({{"model_type", "mistral"}, {"sliding_window", nullptr}});
  CHECK(round_trip(config)["model_type"] == "llama");
  CHECK(gguf_losses(config).empty());
  config["sliding_window"] = 64;
  CHECK(gguf_losses(config).size() == 1);
  config["sliding_window"] = 128;
  CHECK(gguf_losses(config).empty());
}

TEST_CASE("RoPE scaling is read back") {
  const Json linear = {{"rope_type", "linear"}, {"factor", 2.5}};
  const Json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}};
  Json long_yarn = yarn;
  long_yarn.update({{"attention_factor", 1.25}, {"beta_fast", 16.0}, {"beta_slow", 2.0}});
  const Json llama3 = {{"rope_type", "llama3"},
                       {"factor", 8.0},
                       {"low_freq_factor", 1.0},
                       {"high_freq_factor", 4.0},
                       {"original_max_position_embeddings", 32}};
  for (const Json& scaling : {linear, yarn, long_yarn, llama3}) {
    CAPTURE(scaling.dump());
    Json config = llama();
    config["rope_scaling"] = scaling;
    const Json found = round_trip(config);
    CHECK(found["rope_scaling"].size() == scaling.size());
    check_same(found["rope_scaling"], scaling);
  }
  Json older = llama();
  older["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  CHECK(round_trip(older)["rope_scaling"] == Json{{"rope_type", "linear"}, {"factor", 2.0}});
  Json none = llama();
  none["rope_scaling"] = {{"rope_type", "default"}};
  CHECK(round_trip(none)["rope_scaling"].is_null());
  for (const char* type : {"dynamic", "longrope", "su"}) {
    none["rope_scaling"] = {{"rope_type", type}, {"factor", 2.0}};
    CHECK(fault_of(none).find("GGUF cannot express") != std::string::npos);
  }
}

TEST_CASE("a config that cannot be written is refused with the field") {
  const auto with = [](const Json& changes) {
    Json config = llama();
    config.update(changes);
    return fault_of(config);
  };
  CHECK(with({{"model_type", "gemma"}}) ==
        "model_type gemma is not supported, expected one of llama, mistral, qwen2, qwen3, minicpm");
  CHECK(with({{"intermediate_size", nullptr}}) == "field intermediate_size: missing");
  CHECK(with({{"num_hidden_layers", 0}}) == "field num_hidden_layers: is 0, expected 1 to 2147483647");
  CHECK(with({{"rope_theta", "x"}}).starts_with("field rope_theta"));
  CHECK(with({{"model_type", "qwen2"}, {"use_sliding_window", true}}).starts_with("field use_sliding_window"));
}

TEST_CASE("keys that a file lacks have the format's defaults") {
  const Json config = Keys().config();
  CHECK(config["rope_theta"] == 10000);
  CHECK(config["head_dim"] == 8);
  CHECK(config["vocab_size"] == 40);
  CHECK(config["tie_word_embeddings"] == true);
  CHECK(config["rope_scaling"].is_null());
  Keys keys;
  keys.sizes.erase("llama.attention.head_count_kv");
  CHECK(keys.config()["num_key_value_heads"] == 4);
  keys.lists["llama.attention.head_count_kv"] = {2, 2};
  CHECK(keys.config()["num_key_value_heads"] == 2);
  keys.reals["llama.rope.scale_linear"] = 4;
  CHECK(keys.config()["rope_scaling"] == Json{{"rope_type", "linear"}, {"factor", 4.0}});
  keys.tensors = {"output.weight"};
  CHECK(keys.config()["tie_word_embeddings"] == false);
}

TEST_CASE("tokens that begin and end a text are in the config") {
  Keys keys;
  keys.sizes["tokenizer.ggml.bos_token_id"] = 1;
  keys.sizes["tokenizer.ggml.eos_token_id"] = 2;
  CHECK(keys.config()["bos_token_id"] == 1);
  CHECK(keys.config()["eos_token_id"] == 2);
  keys.sizes["tokenizer.ggml.eot_token_id"] = 9;
  keys.sizes["tokenizer.ggml.eom_token_id"] = 2;
  CHECK(keys.config()["eos_token_id"] == Json{2, 9});
}

TEST_CASE("a file of another kind, or that contradicts itself, is refused with the key") {
  const auto with = [](auto change) {
    Keys keys;
    change(keys);
    return keys.error();
  };
  CHECK(with([](Keys&) {}) == "no error");
  CHECK(with([](Keys& k) { k.texts["general.architecture"] = "gemma3"; }) ==
        "architecture gemma3 is not supported, expected one of llama, qwen2, qwen3, minicpm");
  CHECK(with([](Keys& k) { k.texts["general.type"] = "adapter"; }) == "holds adapter, expected a model");
  CHECK(with([](Keys& k) { k.sizes["split.count"] = 3; }) == "is one of 3 parts of a model; merge them first");
  CHECK(with([](Keys& k) { k.sizes["llama.expert_count"] = 8; }).starts_with("llama.expert_count is there"));
  CHECK(with([](Keys& k) { k.sizes.erase("llama.block_count"); }) == "llama.block_count is missing");
  CHECK(with([](Keys& k) { k.sizes["llama.block_count"] = 0; }).starts_with("llama.block_count is 0"));
  CHECK(with([](Keys& k) { k.reals.clear(); }) == "llama.attention.layer_norm_rms_epsilon is missing");
  CHECK(with([](Keys& k) { k.sizes["llama.rope.dimension_count"] = 4; }) ==
        "llama.rope.dimension_count is not the size of a head, 8");
  CHECK(with([](Keys& k) { k.sizes["llama.attention.value_length"] = 16; }) ==
        "llama.attention.value_length is not the size of a head, 8");
  CHECK(with([](Keys& k) {
          k.sizes.erase("llama.attention.head_count_kv");
          k.lists["llama.attention.head_count_kv"] = {2, 4};
        }) == "llama.attention.head_count_kv differs between layers");
  CHECK(with([](Keys& k) { k.texts["llama.rope.scaling.type"] = "longrope"; }) ==
        "llama.rope.scaling.type is longrope, expected none, linear or yarn");
  CHECK(with([](Keys& k) { k.reals["llama.rope.scaling.factor"] = 0.5f; }).starts_with("llama.rope.scaling.factor"));
  CHECK(with([](Keys& k) { k.tensors = {"rope_factors_long.weight"}; }).find("longrope") != std::string::npos);
  CHECK(with([](Keys& k) { k.tensors = {"rope_freqs.weight"}; }) == "rope_freqs.weight is not a scaling of Llama 3");
  CHECK(with([](Keys& k) { k.texts["general.architecture"] = "minicpm"; }) == "minicpm.context_length is missing");
}

TEST_CASE("the configs of the fixtures are written and read back") {
  for (const char* name : {"llama3_scaled", "llama_f16", "llama_linear", "minicpm", "mistral", "qwen2", "qwen3"}) {
    const auto path = shared(std::string("interchange/models/") + name + "/config.json");
    if (!path) return;
    Json config = load_json_object(*path), found = round_trip(config);
    CAPTURE(std::string(name));
    for (const char* field : {"torch_dtype", "sliding_window", "bos_token_id", "eos_token_id"}) {
      if (config["model_type"] != "mistral" || field != std::string("sliding_window")) config.erase(field);
    }
    if (config.contains("rope_scaling") && config["rope_scaling"].contains("type")) config.erase("rope_scaling");
    check_same(found, config);
  }
  if (const auto path = shared("interchange/gguf/q8_0.gguf")) {
    const Json found = gguf_config(Gguf(*path));
    CHECK(found["hidden_size"] == 256);
    CHECK(found["vocab_size"] == 259);
    CHECK(found["tie_word_embeddings"] == true);
    CHECK(found["bos_token_id"] == 1);
  }
}

}  // namespace tinyllm::test
