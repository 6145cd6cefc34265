#include <doctest/doctest.h>

#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/model.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include "close.h"
#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

#include <fstream>

namespace tinyllm::test {
namespace {

// The logits of both rows of tokens, read whole.
std::vector<float> logits_of(const Model& model, const Safetensors& expected) {
  Session session(model, {.cache_type = f32, .pool = ThreadPool(2)});
  const std::vector<int32_t> tokens = expected.values<int32_t>("tokens");
  const int64_t length = expected.at("tokens").shape[1];
  std::vector<float> all;
  for (auto row = tokens.begin(); row != tokens.end(); row += length) {
    Sequence sequence = session.start();
    const Session::Feed feed{&sequence, std::span(row, row + length)};
    session.forward({&feed, 1}, [&](size_t, size_t, std::span<const float> logits) {
      all.insert(all.end(), logits.begin(), logits.end());
    });
  }
  return all;
}

}  // namespace

TEST_CASE("a GGUF file opens as a model: K-quants become floats, and a text is continued") {
  const Model model = load_model(test_data("gguf/q4_k_q6_k.gguf"));
  CHECK(model.config.dim == 256);
  CHECK(model.config.types == WeightTypes{});
  const std::vector<int32_t> tokens = model.tokenizer->encode_alone("Hello");
  // The vocabulary has only bytes, so a blank is the three of U+2581. Decoding replaces pieces, not bytes, as in
  // Hugging Face's tokenizers.
  CHECK(model.tokenizer->decode(tokens) == "\u2581Hello");
  Session session(model, {.pool = ThreadPool(1)});
  const std::vector<Request> requests = {{.prompt = tokens, .options = {.max_tokens = 4}}};
  CHECK(generate(session, requests)[0].tokens.size() == 4);
}

TEST_CASE("matrices of a GGUF file in one of our types keep it, and their numbers") {
  const Model kept = load_model(test_data("gguf/q4_0.gguf")),
              wide = load_model(test_data("gguf/q4_0.gguf"), {.type = f32});
  CHECK(kept.config.types.matrices == q4_0);
  CHECK(wide.config.types == WeightTypes{});
  for (const WeightSpec& spec : weight_specs(kept.config)) {
    CAPTURE(spec.name);
    std::vector<float> numbers(static_cast<size_t>(spec.shape.size()));
    read_rows(kept.weights->at(spec.name), 0, numbers);
    CHECK(std::ranges::equal(numbers, wide.weights->at(spec.name).as<float>()));
  }
}

TEST_CASE("a model from a GGUF file of every type gives the reference's logits through a session") {
  const auto folder = shared("interchange/gguf");
  if (!folder) return;
  const Safetensors expected(*folder / "expected.safetensors");
  for (const std::string name : {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_q6_k"}) {
    // Products of quantised matrices round activations too, which the reference does not.
    const Model model = load_model(*folder / (name + ".gguf"), {.type = f32});
    check_close(name, logits_of(model, expected), expected.values<double>("logits." + name), 1e-4);
  }
}

TEST_CASE("what is wrong with a GGUF file is named") {
  const TempFolder folder;
  const std::string path = (folder / "x.gguf").string();
  const auto error = [&] { return error_of([&] { load_model(path); }); };
  CHECK(error() == path + ": there is no such model folder or GGUF file");
  std::ofstream(path) << "text";
  CHECK(error() == path + ": is not a GGUF file: it does not begin with GGUF");
  std::filesystem::copy_file(test_data("gguf/q4_0.gguf"), path, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(path, 100000);
  CHECK(error().find("it is cut short or damaged") != std::string::npos);
}

TEST_CASE("a number that is not finite in a GGUF file is refused by the name of its tensor") {
  const TempFolder folder;
  const std::string path = (folder / "x.gguf").string();
  // The first is the scale of a block, kept with its matrix. The other would make no answer but nonsense.
  for (const auto& [name, bytes] : {std::pair("blk.0.attn_k.weight", std::string("\0\x7E", 2)),
                                    std::pair("output_norm.weight", std::string("\0\0\xC0\x7F", 4))}) {
    std::filesystem::copy_file(test_data("gguf/q4_0.gguf"), path, std::filesystem::copy_options::overwrite_existing);
    const Gguf original(test_data("gguf/q4_0.gguf"));
    const std::span<const std::byte> tensor = original.bytes(original.at(name));
    const std::string all = read_file(path);
    const std::string_view found(reinterpret_cast<const char*>(tensor.data()), tensor.size());
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
            .seekp(static_cast<std::streamoff>(all.find(found)))
        << bytes;
    CHECK(error_of([&] { load_model(path); }) == path + ": " + name + ": a weight is nan, expected a finite number");
  }
}

TEST_CASE("the context of a model is limited when it is read") {
  CHECK(load_model(test_data("gguf/q4_0.gguf"), {.context = 20}).config.context == 20);
  CHECK(error_of([&] {
          load_model(test_data("gguf/q4_0.gguf"), {.context = 1 << 20});
        }).find("a context of 1048576 tokens, expected 1 to the model's ") == 0);
}

TEST_CASE("tokenizer and chat template are read without the weights, from all that opens as a model") {
  const std::filesystem::path gguf = test_data("gguf/q4_0.gguf");
  CHECK(load_text(gguf).tokenizer->hash() == load_model(gguf).tokenizer->hash());
  const TempFolder folder;
  Model model = load_model(gguf, {.type = f32});
  save_model(model, folder / "base");
  const std::string form = "{% for m in messages %}<{{ m.content }}>{% endfor %}";
  std::ofstream(folder / "base/chat_template.jinja") << form;
  model.base = folder / "base";
  add_lora(model, {.rank = 2}, 1);
  save_model(model, folder / "adapters");
  for (const char* name : {"base", "adapters"}) {
    const ModelText text = load_text(folder / name);
    CHECK(text.tokenizer->hash() == load_model(folder / name).tokenizer->hash());
    std::string rendered;
    for (const Piece& piece : text.chat_template->render({{Role::user, "Hi"}}, {})) rendered += piece.text;
    CHECK(rendered == "<Hi>");
  }
}

TEST_CASE("reading a model reports its progress in weights, and stops when asked to") {
  const std::filesystem::path gguf = test_data("gguf/q4_0.gguf");
  for (const std::optional<Type> type : {std::optional<Type>(), std::optional<Type>(q8_0)}) {
    std::vector<Progress> reports;
    const Model model = load_model(gguf, {.type = type, .on_progress = [&](const Progress& progress) {
                                            reports.push_back(progress);
                                            return true;
                                          }});
    REQUIRE(reports.size() > 1);
    CHECK(std::ranges::is_sorted(reports, {}, &Progress::done));
    CHECK(reports.back().done == parameter_count(model.config));
    CHECK(reports.back().total == parameter_count(model.config));
  }
  int calls = 0;
  CHECK_THROWS_AS(load_model(gguf, {.on_progress = [&](const Progress&) { return ++calls < 3; }}), Stopped);
  CHECK(calls == 3);
}

}  // namespace tinyllm::test
