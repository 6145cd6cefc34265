#include <doctest/doctest.h>

#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/model.h>
#include <tinyllm/model/quantize.h>
#include <tinyllm/model/text/spm/spm_tokenizer.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

#include <fstream>

namespace tinyllm::test {
namespace {

// The bytes of every tensor in a folder, and its type and file, by name.
std::map<std::string, std::string> tensors_in(const std::filesystem::path& folder) {
  std::map<std::string, std::string> tensors;
  const WeightFiles files(folder);
  for (const auto& [name, tensor] : files.tensors()) {
    std::string bytes(tensor.entry->size, '\0');
    tensor.file->read(*tensor.entry, std::as_writable_bytes(std::span(bytes)));
    tensors[name] = tensor.entry->dtype + " in " + tensor.file->path().filename().string() + ": " + bytes;
  }
  return tensors;
}

// A fixture with a tokenizer, whose vocabulary is not larger than the model's.
void copy_model(const std::string& name, const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(test_data("models") / name)) {
    if (!entry.path().filename().string().starts_with("expected")) {
      std::filesystem::copy_file(entry.path(), folder / entry.path().filename());
    }
  }
  std::filesystem::remove(folder / "config.v5.json");
  Json tokenizer = Json::parse(read_file(test_data("tokenizers/llama2_like/tokenizer.json")));
  tokenizer["added_tokens"] = Json::parse(
      R"([{"id": 3, "content": "<|im_end|>", "special": true, "normalized": false},
          {"id": 4, "content": "<|endoftext|>", "special": true, "normalized": false}])");
  tokenizer["post_processor"] = nullptr;
  tokenizer["model"] = Json::parse(R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}, "merges": []})");
  write_file(folder / "tokenizer.json", tokenizer.dump());
  write_file(folder / "tokenizer_config.json", R"({"eos_token": "<|endoftext|>", "unknown_field": [1, 2]})");
  write_file(
      folder / "chat_template.jinja",
      "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content + '<|im_end|>' }}{% else %}{{ m.content }}"
      "{% endif %}{% endfor %}");
}

}  // namespace

TEST_CASE("a model that was read and is saved has every tensor and file as before, bit for bit") {
  for (const std::string name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    CAPTURE(name);
    const TempFolder folder, saved;
    copy_model(name, folder.path());
    // Bit for bit too where weights are widened to floats in between, as for training.
    for (const LoadOptions& options : {LoadOptions{}, LoadOptions{.type = f32}}) {
      save_model(load_model(folder.path(), options), saved.path());
      CHECK(tensors_in(saved.path()) == tensors_in(folder.path()));
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        const std::filesystem::path file = entry.path().filename();
        if (file.extension() == ".safetensors") continue;
        CAPTURE(file.string());
        if (file == kWeightsIndexFile) {
          CHECK(load_json_object(saved.path() / file)["weight_map"] == load_json_object(entry.path())["weight_map"]);
        } else {
          CHECK(read_file(saved.path() / file) == read_file(entry.path()));
        }
      }
    }
    const WeightFiles files(saved.path());
    for (const auto& [tensor, value] : files.tensors()) {
      CHECK(value.file->metadata().at("format") == "pt");
    }
  }
}

TEST_CASE("a weight that changes is the only tensor that does, and parts of one weight stay apart") {
  const TempFolder folder, saved;
  copy_model("qwen2_bf16_sharded", folder.path());
  const Model model = load_model(folder.path(), {.type = f32});
  const int64_t q_rows = model.config.q_dim();
  model.weights->at("blocks.0.attn.qkv.weight").as<float>()[static_cast<size_t>(q_rows * model.config.dim)] = 3;
  save_model(model, saved.path());
  const auto before = tensors_in(folder.path()), after = tensors_in(saved.path());
  REQUIRE(before.size() == after.size());
  for (const auto& [name, value] : before) {
    CAPTURE(name);
    CHECK((after.at(name) == value) == (name != "model.layers.0.self_attn.k_proj.weight"));
  }
}

TEST_CASE("merged adapters change the tensors that they adapt, and no byte of another file or tensor") {
  for (const std::string name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    CAPTURE(name);
    const TempFolder folder, saved;
    copy_model(name, folder.path());
    Model model = load_model(folder.path(), {.type = f32});
    add_lora(model, {.rank = 2, .targets = {"q_proj", "up_proj"}}, 1);
    for (const WeightSpec& spec : adapter_specs(model.config)) {
      std::ranges::fill(model.weights->at(spec.name).as<float>(), 0.5f);
    }
    merge_lora(model);
    save_model(model, saved.path());
    const auto before = tensors_in(folder.path()), after = tensors_in(saved.path());
    REQUIRE(before.size() == after.size());
    for (const auto& [tensor, value] : before) {
      CAPTURE(tensor);
      const bool is_adapted = tensor.ends_with("q_proj.weight") || tensor.ends_with("up_proj.weight");
      CHECK((after.at(tensor) == value) == !is_adapted);
    }
    CHECK(read_file(saved / "config.json") == read_file(folder / "config.json"));
  }
}

TEST_CASE("a model that becomes a GGUF file and a folder again has the tensors that it had") {
  for (const std::string name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    CAPTURE(name);
    const TempFolder folder, saved;
    copy_model(name, folder.path());
    Json tokenizer =
        load_json_object(test_data("tokenizers/qwen_like/tokenizer.json"));  // GGUF has a name for its words.
    tokenizer["added_tokens"] = Json::parse(R"([{"id": 3, "content": "<|endoftext|>", "special": true}])");
    tokenizer["model"] = Json::parse(R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}, "merges": []})");
    write_file(folder / "tokenizer.json", tokenizer.dump());
    const Model model = load_model(folder.path());
    ThreadPool pool(1);
    save_gguf(model, gguf_types(model), folder / "x.gguf", pool);
    const Model from_gguf = load_model(folder / "x.gguf");
    ModelConfig config = from_gguf.config;
    CHECK(config.head_size() == model.config.head_size());
    config.head_dim = model.config.head_dim;  // Of a GGUF file always a number.
    CHECK(config == model.config);
    save_model(from_gguf, saved.path());
    // As floats, which hold every number: a GGUF file has norms and biases in F32, and does not say what they were.
    const Model again = load_model(saved.path(), {.type = f32}), wide = load_model(folder.path(), {.type = f32});
    for (const WeightSpec& spec : weight_specs(wide.config)) {
      CAPTURE(spec.name);
      CHECK(std::ranges::equal(again.weights->at(spec.name).as<float>(), wide.weights->at(spec.name).as<float>()));
    }
  }
}

TEST_CASE("weights of another model in the folder are removed, so that no reader mixes them") {
  const TempFolder folder, saved;
  copy_model("qwen2_bf16_sharded", folder.path());
  const Model model = load_model(folder.path());
  for (const char* stale : {"model.safetensors", "model-00001-of-00009.safetensors"})
    std::ofstream(saved / stale) << "x";
  const char* const others[] = {"model_v2.safetensors", "model-old.safetensors", "models.safetensors",
                                "model-1-of-2.safetensors", "modelling.safetensors.index.json"};
  for (const char* other : others) std::ofstream(saved / other) << "x";
  save_model(model, saved.path());
  for (const char* other : others) {
    CHECK_MESSAGE(std::filesystem::remove(saved / other), other << " is not a file of a model, and stays");
  }
  CHECK_FALSE(std::filesystem::exists(saved / "model.safetensors"));
  CHECK_FALSE(std::filesystem::exists(saved / "model-00001-of-00009.safetensors"));
  CHECK(tensors_in(saved.path()) == tensors_in(folder.path()));
  remove_model(saved.path());
  CHECK_FALSE(std::filesystem::exists(saved.path()));
}

TEST_CASE("the token with which a base model learned to end answers is in every file that names end tokens") {
  const TempFolder folder, saved;
  copy_model("qwen3", folder.path());
  Model model = load_model(folder.path());
  REQUIRE(take_answer_end(model) == "<|im_end|>");
  CHECK(model.tokenizer->is_end(3));
  CHECK_FALSE(take_answer_end(model));
  save_model(model, saved.path());
  const Json config = load_json_object(saved / "config.json"), before = load_json_object(folder / "config.json");
  CHECK(config["eos_token_id"] == (before.contains("eos_token_id") ? Json({3, before["eos_token_id"]}) : Json(3)));
  CHECK(load_json_object(saved / "generation_config.json")["eos_token_id"] == 3);
  const Json tokenizer = load_json_object(saved / "tokenizer_config.json");
  CHECK(tokenizer["eos_token"] == "<|im_end|>");
  CHECK(tokenizer["unknown_field"] == Json({1, 2}));
  CHECK(load_model(saved.path()).tokenizer->is_end(3));
}

TEST_CASE("a base model whose tokenizer is a SentencePiece model learns to end answers too") {
  const TempFolder folder, saved;
  copy_model("qwen3", folder.path());
  Model model = load_model(folder.path());
  const SpmTokenizer tokenizer = SpmTokenizer::load(test_data("tokenizers/no_prefix_bpe.model"));
  const int32_t end = *tokenizer.special("<|im_end|>"), of_document = *tokenizer.special("</s>");
  model.tokenizer = std::make_shared<SpmTokenizer>(tokenizer);
  REQUIRE_FALSE(tokenizer.is_end(end));
  REQUIRE(take_answer_end(model) == "<|im_end|>");
  CHECK(model.tokenizer->is_end(end));
  CHECK(model.tokenizer->is_end(of_document));
  CHECK_FALSE(take_answer_end(model));
  save_model(model, saved.path());
  std::filesystem::remove(saved / "tokenizer.json");  // The fixture's.
  CHECK(load_json_object(saved / "config.json")["eos_token_id"][0] == end);
  CHECK(load_tokenizer(saved.path())->end_of_document() == end);
}

TEST_CASE("a base model whose files name no end token at all learns to end answers") {
  const TempFolder folder;
  copy_model("qwen3", folder.path());
  write_file(folder / "tokenizer_config.json", "{}");
  Json tokenizer = load_json_object(folder / "tokenizer.json");
  tokenizer["added_tokens"][0]["content"] = "<stop>";
  tokenizer["added_tokens"][1]["content"] = "<other>";
  write_file(folder / "tokenizer.json", tokenizer.dump());
  write_file(folder / "chat_template.jinja", "{% for m in messages %}{{ m.content + '<stop>' }}{% endfor %}");
  Json config = load_json_object(folder / "config.json");
  config.erase("eos_token_id");
  write_file(folder / "config.json", config.dump());
  Model model = load_model(folder.path());
  CHECK_THROWS_AS(model.tokenizer->end_tokens(), Error);
  CHECK(take_answer_end(model) == "<stop>");
  CHECK(model.tokenizer->is_end(3));
}

TEST_CASE("a tied model with another head says so, and stays tied") {
  const TempFolder folder, saved;
  copy_model("qwen3", folder.path());
  const Safetensors file(folder / "model.safetensors");
  REQUIRE(load_json_object(folder / "config.json")["tie_word_embeddings"] == true);
  std::deque<std::vector<std::byte>> bytes;
  std::vector<RawTensor> tensors;
  for (const auto& entry : file.entries()) {
    file.read(entry, bytes.emplace_back(entry.size));
    tensors.push_back({entry.name, entry.dtype, entry.shape, bytes.back()});
  }
  const Safetensors::Entry& table = file.at("model.embed_tokens.weight");
  std::vector<std::byte> head(table.size);
  file.read(table, head);
  tensors.push_back({"lm_head.weight", table.dtype, table.shape, head});
  save_safetensors(folder / "model.safetensors", tensors);
  CHECK(load_model(folder.path()).notes.empty());  // Equal: nothing to say.
  head[5] ^= std::byte{1};
  save_safetensors(folder / "model.safetensors", tensors);
  const Model model = load_model(folder.path());
  REQUIRE(model.notes.size() == 1);
  CHECK(model.notes[0].find("lm_head.weight is not used") != std::string::npos);
  save_model(model, saved.path());
  CHECK_FALSE(tensors_in(saved.path()).contains("lm_head.weight"));
}

TEST_CASE("weights become of another type while they are read") {
  const TempFolder folder;
  copy_model("qwen3", folder.path());
  const Model wide = load_model(folder.path(), {.type = f32});
  for (const Type type : kPackedTypes) {
    CAPTURE(type.name());
    const Model model = load_model(folder.path(), {.type = type});
    CHECK(model.config.types == weight_types(type));
    for (const WeightSpec& spec : weight_specs(model.config)) {
      if (!spec.type.is_packed()) continue;
      ThreadPool pool(2);
      const QuantizedMatrix expected =
          quantize(spec.type, spec.shape, wide.weights->at(spec.name).as<float>().data(), pool);
      std::vector<std::byte> packed(bytes_of(spec.type, spec.shape));
      pack_quantized(spec.type, spec.shape, expected.quants.data(),
                     reinterpret_cast<const std::byte*>(expected.scales.data()), packed.data(), pool);
      CHECK(std::ranges::equal(packed, std::span(model.weights->at(spec.name).data, packed.size())));
    }
  }
  const TempFolder saved;
  const Model quantised = load_model(folder.path(), {.type = q8_0});
  CHECK(error_of([&] { save_model(quantised, saved.path()); }).find("the weights are q8_0") != std::string::npos);
  // Our own folders too: their quantised weights become floats again.
  save_quantized(wide, weight_types(q8_0), saved / "q8", ThreadPool(1));
  const Model own = load_model(saved / "q8", {.type = f32});
  const Model kept = load_model(saved / "q8");
  CHECK(kept.config.types == weight_types(q8_0));
  for (const WeightSpec& spec : weight_specs(own.config)) {
    std::vector<float> numbers(static_cast<size_t>(spec.shape.size()));
    read_rows(kept.weights->at(spec.name), 0, numbers);
    CHECK(std::ranges::equal(numbers, own.weights->at(spec.name).as<float>()));
  }
}

TEST_CASE("what the makers of a model sample with is read from generation_config.json") {
  const TempFolder folder;
  copy_model("qwen3", folder.path());
  CHECK_FALSE(load_model(folder.path()).sampling.temperature);
  write_file(folder / "generation_config.json",
             R"({"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "repetition_penalty": 1.05})");
  const SamplingDefaults sampling = load_model(folder.path()).sampling;
  CHECK(sampling.temperature == 0.6f);
  CHECK(sampling.top_k == 20);
  CHECK(sampling.top_p == 0.95f);
  CHECK(sampling.repetition_penalty == 1.05f);
  CHECK_FALSE(sampling.min_p);
  // Without do_sample, transformers takes the likeliest token.
  write_file(folder / "generation_config.json", R"({"temperature": 0.6, "repetition_penalty": 1.05})");
  CHECK_FALSE(load_model(folder.path()).sampling.temperature);
  CHECK(load_model(folder.path()).sampling.repetition_penalty == 1.05f);
  write_file(folder / "generation_config.json", R"({"do_sample": true, "top_p": 7})");
  CHECK(error_of([&] { load_model(folder.path()); }) ==
        (folder / "generation_config.json").string() + ": field top_p: is 7, expected a number above 0 and at most 1");
}

TEST_CASE("a weight that is not finite is refused by the name of its tensor, whatever its type becomes") {
  struct Damage {
    const char* model;
    const char* tensor;  // Also one that is a part of a fused matrix here.
    std::string bytes;
    const char* shown;
  };
  const std::string float_nan("\0\0\xC0\x7F", 4), float_infinity("\0\0\x80\xFF", 4), bf16_nan("\xC0\x7F", 2);
  for (const Damage& damage : {Damage{"qwen3", "model.layers.1.self_attn.v_proj.weight", float_nan, "nan"},
                               {"qwen3", "model.norm.weight", float_infinity, "-inf"},
                               {"qwen3", "model.embed_tokens.weight", float_nan, "nan"},
                               {"qwen2_bf16_sharded", "model.layers.0.self_attn.k_proj.weight", bf16_nan, "nan"},
                               {"qwen2_bf16_sharded", "model.layers.0.self_attn.k_proj.bias", bf16_nan, "nan"}}) {
    const TempFolder folder;
    copy_model(damage.model, folder.path());
    std::string name;
    {
      const WeightFiles files(folder.path());
      const WeightFiles::Tensor& tensor = files.tensors().at(damage.tensor);
      name = tensor.file->path().string() + ": " + damage.tensor;
      std::fstream file(tensor.file->path(), std::ios::in | std::ios::out | std::ios::binary);
      uint64_t header = 0;
      file.read(reinterpret_cast<char*>(&header), sizeof header);
      file.seekp(static_cast<std::streamoff>(sizeof header + header + tensor.entry->begin + damage.bytes.size() * 7));
      file << damage.bytes;
    }
    for (const std::optional<Type> type : {std::optional<Type>(), std::optional<Type>(f32),
                                           std::optional<Type>(packed_bf16), std::optional<Type>(q8_0)}) {
      CHECK(error_of([&] { load_model(folder.path(), {.type = type}); }) ==
            name + ": a weight is " + damage.shown + ", expected a finite number");
    }
  }
}

TEST_CASE("a snapshot of a cache opens through its links, and a link that leads nowhere is named") {
  const TempFolder folder, snapshot;
  copy_model("qwen2_bf16_sharded", folder.path());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::filesystem::create_symlink(entry.path(), snapshot / entry.path().filename());
  }
  CHECK(load_model(snapshot.path()).config == load_model(folder.path()).config);
  for (const char* name : {"model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json",
                           "chat_template.jinja", "config.json"}) {
    const TempFolder broken;
    std::filesystem::copy(snapshot.path(), broken.path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    std::filesystem::remove(broken / name);
    std::filesystem::create_symlink(broken / "gone", broken / name);
    CHECK(error_of([&] { load_model(broken.path()); }) ==
          (broken / name).string() + ": cannot be opened: No such file or directory");
    std::filesystem::remove(broken / name);
    std::filesystem::create_symlink(name, broken / name);
    CHECK(error_of([&] { load_model(broken.path()); }) ==
          (broken / name).string() + ": cannot be opened: Too many levels of symbolic links");
  }
}

TEST_CASE("sizes as a config of Hugging Face, and back") {
  for (const char* name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    CAPTURE(name);
    const ModelConfig config = config_from_hugging_face(load_json_object(test_data("models") / name / "config.json"));
    const auto json = hugging_face_config(config);
    ModelConfig again = config_from_hugging_face(Json::parse(json.dump()));
    again.head_dim = config.head_dim;
    CHECK(again == config);
  }
  CHECK(hugging_face_config(as_llama({}))["model_type"] == "llama");
  CHECK(hugging_face_config(as_llama({}, true))["model_type"] == "qwen3");
  CHECK(error_of([&] { hugging_face_config({}); }).find("no other program knows this form of model") == 0);
  ModelConfig mixed = as_llama({}, true);
  mixed.residual_scale = 0.5f;
  CHECK(error_of([&] { hugging_face_config(mixed); }).find("no family of other programs has all features") == 0);
}

}  // namespace tinyllm::test
