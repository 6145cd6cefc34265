#include <doctest/doctest.h>

#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/model.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/runtime/chat.h>
#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include "close.h"
#include "error_of.h"
#include "runtime/model_to_ask.h"
#include "temp_folder.h"
#include "test_data.h"

#include <cmath>
#include <fstream>

namespace tinyllm::test {
namespace {

// A folder as another program saves it: a Qwen3 of random weights, whose vocabulary has more rows than its tokenizer
// has tokens.
constexpr int64_t kRows = 640;
void write_config(const std::filesystem::path& folder, const std::string& more = "") {
  std::ofstream(folder / "config.json") << R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
    "vocab_size": )" << kRows << R"(, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 128,
    "rms_norm_eps": 1e-6, "hidden_act": "silu", "rope_theta": 1000000.0, "tie_word_embeddings": true)"
                                        << more << "}";
}

ModelConfig config() {
  return {.vocab_size = kRows,
          .dim = 64,
          .n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 2,
          .head_dim = 32,
          .qk_norm = true,
          .ffn_dim = 96,
          .ffn = FeedForward::swiglu,
          .ffn_bias = false,
          .tied_head = true,
          .context = 128,
          .norm_eps = 1e-6f,
          .rope_base = 1e6f,
          .dropout = 0};
}

template <class T>
void write_weights(const std::filesystem::path& path, DType type) {
  Store store;
  init_weights(weight_specs(config()), 7, store);
  std::deque<std::vector<T>> values;
  std::vector<NamedTensor> tensors;
  for (const WeightSpec& spec : weight_specs(config())) {
    const std::span<const float> all = store.at(spec.name).as<float>();
    const int64_t width = spec.shape.size() / spec.shape[0];
    int64_t row = 0;
    for (const WeightPart& part : spec.parts) {
      std::vector<T>& to = values.emplace_back(static_cast<size_t>(part.rows * width));
      const auto from = all.subspan(static_cast<size_t>(row * width), to.size());
      if constexpr (std::is_same_v<T, float>) {
        to.assign(from.begin(), from.end());
      } else {
        convert(from, std::span(to));
      }
      tensors.push_back({part.hugging_face, type, spec.shape.with(0, part.rows), to.data()});
      row += part.rows;
    }
  }
  save_safetensors(path, tensors, {{"format", "pt"}});
}

template <class T = float>
void write_folder(const std::filesystem::path& folder, DType type = f32) {
  write_config(folder);
  write_weights<T>(folder / "model.safetensors", type);
  std::filesystem::copy_file(test_data("tokenizers/qwen_like/tokenizer.json"), folder / "tokenizer.json");
  std::ofstream(folder / "tokenizer_config.json") << R"({"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})";
  std::filesystem::copy_file(test_data("chat/qwen3.jinja"), folder / "chat_template.jinja");
}

// The logits of a fixture (see tests/model/hugging_face_test.cc) from a session that reads it whole, and token by
// token.
void check_session(const std::filesystem::path& fixture) {
  CAPTURE(fixture.filename().string());
  const Safetensors expected(fixture / "expected.safetensors");
  const int64_t length = expected.at("tokens").shape[1];
  Model model{config_from_hugging_face(load_json_object(fixture / "config.json")),
              std::make_shared<SentencePieceTokenizer>(sample_tokenizer())};
  model.config.context = std::max(model.config.context, length);
  ThreadPool pool(2);
  const WeightFiles files(fixture);
  load_weights(HuggingFaceWeights(files), weight_specs(model.config), pool, *model.weights);
  Session session(model, {.sequences = 2, .cache_type = f32, .pool = pool});
  const std::vector<int32_t> tokens = expected.values<int32_t>("tokens");
  std::vector<float> whole, single;
  for (auto row = tokens.begin(); row != tokens.end(); row += length) {
    const std::span<const int32_t> all(row, row + length);
    Sequence sequence = session.start();
    const Session::Feed feed{&sequence, all};
    session.forward({&feed, 1}, [&](size_t, size_t, std::span<const float> logits) {
      whole.insert(whole.end(), logits.begin(), logits.end());
    });
    sequence.truncate(0);
    for (const int32_t& token : all) {
      session.forward(sequence, {&token, 1});
      single.insert(single.end(), sequence.logits().begin(), sequence.logits().end());
    }
  }
  check_close("logits", whole, expected.values<double>("logits"), 1e-4);
  CHECK(single == whole);
}

}  // namespace

TEST_CASE("a folder of Hugging Face opens as it is, and answers with its own template") {
  const TempFolder folder;
  write_folder(folder.path());
  const Model model = load_model(folder.path());
  CHECK(model.config == config());
  const Messages messages = {{Role::user, "Hello <|im_end|>"}};
  const std::vector<int32_t> prompt = chat_prompt(*model.tokenizer, *model.chat_template, messages, 127);
  const int32_t end = *model.tokenizer->special("<|im_end|>");
  CHECK(std::ranges::count(prompt, end) == 1);  // The template's own; what the user typed stays text.
  CHECK(model.tokenizer->is_end(end));
  Session session(model, {.pool = ThreadPool(2)});
  const std::vector<Request> requests = {
      {.prompt = prompt, .options = {.max_tokens = 60, .sampling = {.temperature = 2, .seed = 3}}}};
  const std::vector<Completion> answers = generate(session, requests);
  CHECK(!answers[0].tokens.empty());
  // Rows of the vocabulary that are not tokens are never drawn.
  for (const int32_t token : answers[0].tokens) CHECK(token < model.tokenizer->size());
}

TEST_CASE("a session gives the reference's logits for models of five families, read whole or token by token") {
  for (const char* name : {"llama3_scaled", "minicpm", "mistral", "qwen2_bf16_sharded", "qwen3"}) {
    check_session(test_data("models") / name);
  }
}

TEST_CASE("a session gives the reference's logits for further models") {
  const auto models = shared("interchange/models");
  if (!models) return;
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    if (std::filesystem::exists(entry.path() / "config.json")) check_session(entry.path());
  }
}

TEST_CASE("weights in bfloat16 stay in bfloat16, and give the logits of the same numbers as floats") {
  const TempFolder folder, wide;
  write_folder<BFloat16>(folder.path(), bf16);
  const Model model = load_model(folder.path());
  CHECK(model.config.types.matrices == packed_bf16);
  for (const WeightSpec& spec : weight_specs(model.config)) {
    CHECK(model.weights->at(spec.name).type.is_packed() == (spec.shape.rank() == 2));
  }
  std::vector<float> row(64), expected(64);
  dequantize_row(packed_bf16, {kRows, 64}, model.weights->at("tok_emb.weight").data, 33, row.data());
  const std::vector<BFloat16> table =
      Safetensors(folder / "model.safetensors").values<BFloat16>("model.embed_tokens.weight");
  convert(std::span(table).subspan(33 * 64, 64), std::span(expected));
  CHECK(row == expected);
}

TEST_CASE("a model from Hugging Face that is saved, as after fine-tuning, opens again with its template") {
  const TempFolder folder, saved;
  write_folder(folder.path());
  const Model model = load_model(folder.path());
  save_model(model, saved.path());
  const Model again = load_model(saved.path());
  CHECK(again.config == model.config);
  const Messages messages = {{Role::user, "Hello"}};
  const std::vector<int32_t> prompt = chat_prompt(*model.tokenizer, *model.chat_template, messages, 127);
  CHECK(chat_prompt(*again.tokenizer, *again.chat_template, messages, 127) == prompt);
  Session one(model, {.pool = ThreadPool(1)}), other(again, {.pool = ThreadPool(1)});
  Sequence first = one.start(), second = other.start();
  one.forward(first, prompt);
  other.forward(second, prompt);
  CHECK(std::ranges::equal(first.logits(), second.logits()));
}

TEST_CASE("what is wrong with a folder of Hugging Face is named") {
  const TempFolder folder;
  write_folder(folder.path());
  const auto error = [&] { return error_of([&] { load_model(folder.path()); }); };
  write_config(folder.path(), R"(, "num_hidden_layers": 1000000)");
  CHECK(error() == folder.path().string() + ": holds 24 tensors, too few for 1000000 layers");
  write_config(folder.path(), R"(, "vocab_size": 64)");
  CHECK(error().find("tokens, expected at most the vocab_size, 64") != std::string::npos);
  write_config(folder.path(), R"(, "vocab_size": 700)");
  CHECK(error().find("model.embed_tokens.weight is [640,64], expected [700,64]") != std::string::npos);
  write_config(folder.path(), R"(, "model_type": "gpt_oss")");
  CHECK(error() == (folder / "config.json").string() +
                       ": model_type gpt_oss is not supported, expected one of llama, mistral, qwen2, qwen3, minicpm");
  write_config(folder.path());
  const std::string tokenizer = read_file(folder / "tokenizer.json");
  write_file(folder / "tokenizer.json", "");
  CHECK(error() == (folder / "tokenizer.json").string() + ": line 1, byte 1: ends too early for JSON");
  write_file(folder / "tokenizer.json", tokenizer);
  const std::string path = (folder / "chat_template.jinja").string();
  write_file(path, std::string(2000000, ' '));
  CHECK(error() == path + ": has 2000000 bytes, expected at most 1048576");
  std::filesystem::remove(folder / "chat_template.jinja");
  const Model base = load_model(folder.path());
  CHECK(error_of([&] {
          base.chat_template->render({{Role::user, "x"}}, {});
        }) == folder.path().string() +
                  ": the model has no chat template: it continues texts, but does not hold conversations");
}

}  // namespace tinyllm::test
