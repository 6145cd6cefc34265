#include <doctest/doctest.h>

#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/own_form.h>
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/tensor/base/file.h>

#include "error_of.h"
#include "model/sample_model.h"
#include "model/text/sample_chat.h"
#include "temp_folder.h"

namespace tinyllm::test {
namespace {

ModelConfig llama() {
  return as_llama(
      {.dim = 64, .n_layers = 2, .n_heads = 4, .n_kv_heads = 2, .ffn_dim = 96, .context = 64, .dropout = 0});
}

const std::vector<std::string> kTexts = {"",
                                         "今天学习第 12 课。",
                                         "  two blanks,  and a line\n\nfeed\tand a tab ",
                                         "rare: \u2603 \U0001F600 \u00E9 e\u0301 \0 end",
                                         "a marker <|user|> or </s> of a user <0x41>",
                                         "line 1: 3.14159 and 1234567890\r\n"};

void check_texts(const Tokenizer& ours, const Tokenizer& exported) {
  for (const std::string& text : kTexts) {
    CAPTURE(text);
    CHECK(exported.encode(text) == ours.encode(text));
    CHECK(exported.decode(exported.encode(text)) == text);
  }
}

void check_chats(const Model& ours, const Model& exported) {
  const std::vector<Messages> chats = {
      {{Role::user, "计算：1+2*3"}},
      {{Role::system, "be brief"}, {Role::user, "one"}, {Role::assistant, "two"}, {Role::user, "three"}}};
  for (const Messages& chat : chats) {
    const RenderOptions prompt = {.add_generation_prompt = true};
    CHECK(tokenize(*exported.tokenizer, exported.chat_template->render(chat, prompt)).tokens ==
          tokenize(*ours.tokenizer, ours.chat_template->render(chat, prompt)).tokens);
  }
  const Sample expected = tokenize(*ours.tokenizer, ours.chat_template->render(chats[1], {}));
  const Sample found = tokenize(*exported.tokenizer, exported.chat_template->render(chats[1], {}));
  CHECK(found.tokens == expected.tokens);
  CHECK(found.learned == expected.learned);
}

}  // namespace

TEST_CASE("a model of ours in the form of Llama is a folder of Hugging Face with the same tokens, chats and weights") {
  const TempFolder folder;
  const Model ours = fresh_model(llama());
  Model model = fresh_model(llama());
  take_hugging_face_form(model, f32);
  save_model(model, folder.path());
  for (const char* file : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "generation_config.json"}) {
    CHECK(std::filesystem::exists(folder / file));
  }
  const Model found = load_model(folder.path());
  check_texts(*ours.tokenizer, *found.tokenizer);
  check_chats(ours, found);
  CHECK(found.tokenizer->end_of_document() == ours.tokenizer->end_of_document());
  for (const WeightSpec& spec : weight_specs(ours.config)) {
    CHECK(std::ranges::equal(found.weights->at(spec.name).as<float>(), ours.weights->at(spec.name).as<float>()));
  }
}

TEST_CASE("a model of ours in the form of Llama is a GGUF file with the same tokens, chats and weights") {
  const TempFolder folder;
  const Model ours = fresh_model(llama());
  ThreadPool pool(2);
  CHECK(save_gguf(ours, {}, folder / "x.gguf", pool).empty());
  const Model found = load_model(folder / "x.gguf");
  check_texts(*ours.tokenizer, *found.tokenizer);
  check_chats(ours, found);
  for (const WeightSpec& spec : weight_specs(ours.config)) {
    CHECK(std::ranges::equal(found.weights->at(spec.name).as<float>(), ours.weights->at(spec.name).as<float>()));
  }
}

TEST_CASE("a model of the default form is refused: no other program knows it") {
  const TempFolder folder;
  Model model = fresh_model({.dim = 32, .n_layers = 1, .n_heads = 2, .ffn_dim = 64});
  CHECK(error_of([&] { take_hugging_face_form(model, f32); }).find("no other program knows this form of model") == 0);
  ThreadPool pool(1);
  CHECK(error_of([&] { save_gguf(model, {}, folder / "x.gguf", pool); }).find("no other program knows") == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "x.gguf"));
}

}  // namespace tinyllm::test
