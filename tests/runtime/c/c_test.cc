#include <doctest/doctest.h>

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/embed.h>
#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/tinyllm_c.h>

#include <thread>

#include "runtime/model_to_ask.h"
#include "temp_folder.h"

namespace tinyllm::test {
namespace {

struct Free {
  void operator()(tinyllm_model* model) const { tinyllm_free(model); }
};
using Handle = std::unique_ptr<tinyllm_model, Free>;

// A model in a folder, through the C interface and as itself.
struct Opened {
  TempFolder folder;
  Model model = model_to_ask({.dim = 32, .n_layers = 2, .n_heads = 4, .ffn_dim = 64, .context = 200, .dropout = 0});
  Handle handle;

  explicit Opened(const tinyllm_load_options* options = nullptr) {
    save_model(model, folder.path());
    handle.reset(tinyllm_load(folder.path().c_str(), options));
    REQUIRE_MESSAGE(handle != nullptr, std::string(tinyllm_error()));
  }
};

int collect(void* user, const char* text, int64_t size) {
  static_cast<std::string*>(user)->append(text, static_cast<size_t>(size));
  return 1;
}

std::vector<int32_t> tokenize(const tinyllm_model* model, std::string_view text) {
  std::vector<int32_t> tokens(static_cast<size_t>(tinyllm_tokenize(model, text.data(), std::ssize(text), nullptr, 0)));
  CHECK(tinyllm_tokenize(model, text.data(), std::ssize(text), tokens.data(), std::ssize(tokens)) ==
        std::ssize(tokens));
  return tokens;
}

}  // namespace

TEST_CASE("the C interface says what the C++ library says") {
  const Opened o;
  const tinyllm_model* handle = o.handle.get();
  CHECK(tinyllm_vocab_size(handle) == o.model.config.vocab_size);
  CHECK(tinyllm_context(handle) == o.model.config.context);
  CHECK(tinyllm_embedding_size(handle) == o.model.config.dim);

  const std::string text = "计算：1+2*3 and more";
  const std::vector<int32_t> tokens = tokenize(handle, text);
  CHECK(tokens == o.model.tokenizer->encode_alone(text));
  std::string back(200, '\0');
  back.resize(static_cast<size_t>(tinyllm_detokenize(handle, tokens.data(), std::ssize(tokens), back.data(), 200)));
  CHECK(back == text);

  const tinyllm_message messages[] = {{"system", "be brief"}, {"user", "1+1"}};
  std::vector<int32_t> prompt(100);
  prompt.resize(static_cast<size_t>(tinyllm_chat_prompt(handle, messages, 2, prompt.data(), 100)));
  CHECK(prompt == chat_prompt(*o.model.tokenizer, *o.model.chat_template,
                              {{Role::system, "be brief"}, {Role::user, "1+1"}}, 100));

  Session session(o.model);
  std::vector<float> vector(static_cast<size_t>(o.model.config.dim));
  REQUIRE(tinyllm_embed(o.handle.get(), tokens.data(), std::ssize(tokens), vector.data()) == 0);
  CHECK(vector == embed(session, {&tokens, 1})[0]);

  for (const uint64_t seed : {1, 2}) {
    tinyllm_generate_options options = tinyllm_generate_defaults(handle);
    CHECK(options.temperature == 0);
    options.max_tokens = 12;
    options.temperature = 1;
    options.seed = seed;
    std::string said;
    const int32_t reason =
        tinyllm_generate(o.handle.get(), prompt.data(), std::ssize(prompt), &options, collect, &said);
    const Request request{.prompt = prompt,
                          .options = {.max_tokens = 12, .sampling = {.temperature = 1, .seed = seed}}};
    const Completion expected = generate(session, {&request, 1})[0];
    CHECK(said == expected.text);
    CHECK(reason == static_cast<int32_t>(expected.finish_reason));
  }
}

TEST_CASE("an answer in C ends where its options or its caller end it") {
  const Opened o;
  const std::vector<int32_t> prompt = tokenize(o.handle.get(), "once");
  tinyllm_generate_options options = tinyllm_generate_defaults(o.handle.get());
  options.max_tokens = 20;
  std::string whole;
  const auto ask = [&](tinyllm_on_text on_text, void* user) {
    return tinyllm_generate(o.handle.get(), prompt.data(), std::ssize(prompt), &options, on_text, user);
  };
  REQUIRE(ask(collect, &whole) >= 0);
  REQUIRE(whole.size() > 4);

  size_t begin = whole.size() / 2;
  while (continues_character(whole[begin])) ++begin;
  size_t end = begin;
  next_character(whole, end);
  const std::string stop = whole.substr(begin, end - begin);
  const char* const stops[] = {stop.c_str()};
  options.stop = stops;
  options.stop_count = 1;
  std::string cut;
  CHECK(ask(collect, &cut) == TINYLLM_STOP_STRING);
  CHECK(cut == whole.substr(0, whole.find(stop)));

  options.stop_count = 0;
  CHECK(ask([](void*, const char*, int64_t) { return 0; }, nullptr) == TINYLLM_CANCELLED);
  options.max_tokens = 0;
  CHECK(ask(nullptr, nullptr) == TINYLLM_MAX_TOKENS);
}

TEST_CASE("failures in C are results with a message, one for each thread") {
  CHECK(tinyllm_load("/no/such/model", nullptr) == nullptr);
  CHECK(std::string(tinyllm_error()).find("/no/such/model") != std::string::npos);
  std::thread([] { CHECK(std::string(tinyllm_error()).empty()); }).join();
  CHECK(tinyllm_load(nullptr, nullptr) == nullptr);
  CHECK(std::string(tinyllm_error()) == "path: is NULL");
  CHECK(tinyllm_vocab_size(nullptr) == -1);
  CHECK(std::string(tinyllm_error()) == "model: is NULL");

  const Opened o;
  const tinyllm_load_options bad_type{.type = "q3", .context = 0, .threads = 0};
  CHECK(tinyllm_load(o.folder.path().c_str(), &bad_type) == nullptr);
  CHECK(std::string(tinyllm_error()) == "type: is \"q3\", expected f32, bf16, q8_0 or q4_0");
  CHECK(tinyllm_tokenize(o.handle.get(), "\xff", 1, nullptr, 0) == -1);
  CHECK(tinyllm_tokenize(o.handle.get(), "a", -1, nullptr, 0) == -1);
  CHECK(tinyllm_tokenize(o.handle.get(), nullptr, 3, nullptr, 0) == -1);
  CHECK(tinyllm_tokenize(o.handle.get(), "a", 1, nullptr, 5) == -1);
  CHECK(std::string(tinyllm_error()) == "result: is NULL");
  const int32_t outside = 1 << 20;
  CHECK(tinyllm_detokenize(o.handle.get(), &outside, 1, nullptr, 0) == -1);
  const tinyllm_message stranger{"stranger", "hello"};
  CHECK(tinyllm_chat_prompt(o.handle.get(), &stranger, 1, nullptr, 0) == -1);
  CHECK(std::string(tinyllm_error()) == "role: is \"stranger\", expected system, user, assistant or tool");
  CHECK(tinyllm_generate(o.handle.get(), nullptr, 0, nullptr, nullptr, nullptr) == -1);
  CHECK(tinyllm_embed(o.handle.get(), nullptr, 0, nullptr) == -1);
  tinyllm_free(nullptr);
}

TEST_CASE("options of loading reach the model") {
  const tinyllm_load_options options{.type = "q8_0", .context = 50, .threads = 2};
  const Opened o(&options);
  CHECK(tinyllm_context(o.handle.get()) == 50);
  const std::vector<int32_t> tokens = tokenize(o.handle.get(), "once");
  std::vector<float> exact(32), quantised(32);
  REQUIRE(tinyllm_embed(o.handle.get(), tokens.data(), std::ssize(tokens), quantised.data()) == 0);
  const Opened plain;
  REQUIRE(tinyllm_embed(plain.handle.get(), tokens.data(), std::ssize(tokens), exact.data()) == 0);
  CHECK(quantised != exact);
}

}  // namespace tinyllm::test
