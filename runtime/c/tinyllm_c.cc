// tinyllm_c.h in terms of the C++ library. No exception leaves a function of this file.
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/runtime/embed.h>
#include <tinyllm/runtime/generate.h>
#include <tinyllm/tinyllm_c.h>

#include <algorithm>
#include <cstring>
#include <new>

using namespace tinyllm;

struct tinyllm_model {
  Model model;
  Session session;

  tinyllm_model(Model&& loaded, const ThreadPool& pool) : model(std::move(loaded)), session(model, {.pool = pool}) {}
};

namespace {

thread_local std::string last_error;

// Returns what `work` returns. If it throws, keeps the message and returns `failed`.
template <class Work, class Result = std::invoke_result_t<Work>>
Result guarded(Result failed, Work work) noexcept {
  try {
    return work();
  } catch (const std::exception& error) {
    try {
      last_error = error.what();
    } catch (...) {
      last_error.clear();
    }
    return failed;
  }
}

// A list that the caller gave by its address and size.
template <class T>
std::span<const T> list(const T* from, int64_t count, const char* name) {
  if (count < 0 || (from == nullptr && count != 0)) {
    throw Error("{}: has the address {} and {} elements, expected a list", name, static_cast<const void*>(from), count);
  }
  return {from, static_cast<size_t>(count)};
}

template <class T>
T* given(T* pointer, const char* name) {
  if (pointer == nullptr) throw Error("{}: is NULL", name);
  return pointer;
}

template <class T>
int64_t hand_over(std::span<const T> values, T* to, int64_t room) {
  const size_t count = std::min(values.size(), static_cast<size_t>(std::max<int64_t>(room, 0)));
  if (count != 0) std::memcpy(given(to, "result"), values.data(), count * sizeof(T));
  return static_cast<int64_t>(values.size());
}

GenerateOptions options_of(const tinyllm_generate_options& o) {
  GenerateOptions options;
  options.max_tokens = o.max_tokens;
  options.sampling = {.temperature = o.temperature,
                      .top_k = o.top_k,
                      .top_p = o.top_p,
                      .min_p = o.min_p,
                      .repetition_penalty = o.repetition_penalty,
                      .frequency_penalty = o.frequency_penalty,
                      .presence_penalty = o.presence_penalty,
                      .seed = o.seed};
  for (const char* stop : list(o.stop, o.stop_count, "stop")) options.stop.emplace_back(given(stop, "stop"));
  return options;
}

int32_t reason_of(const Completion& completion) {
  switch (completion.finish_reason) {
    case FinishReason::end_token:
      return TINYLLM_END_TOKEN;
    case FinishReason::stop_string:
      return TINYLLM_STOP_STRING;
    case FinishReason::max_tokens:
      return TINYLLM_MAX_TOKENS;
    case FinishReason::context_full:
      return TINYLLM_CONTEXT_FULL;
    case FinishReason::cancelled:
      return TINYLLM_CANCELLED;
    case FinishReason::failed:
      break;
  }
  throw Error("generate: {}", completion.error);
}

}  // namespace

int32_t tinyllm_c_version() { return TINYLLM_C_VERSION; }

const char* tinyllm_error() { return last_error.c_str(); }

tinyllm_model* tinyllm_load(const char* path, const tinyllm_load_options* options) {
  return guarded(static_cast<tinyllm_model*>(nullptr), [&] {
    const tinyllm_load_options o = options == nullptr ? tinyllm_load_options{} : *options;
    LoadOptions load{.context = o.context};
    if (o.type != nullptr) {
      load.type = weight_type(o.type);
      if (!load.type) throw Error("type: is \"{}\", expected f32, bf16, q8_0 or q4_0", o.type);
    }
    const ThreadPool pool(o.threads == 0 ? hardware_threads() : o.threads);
    load.pool = pool;
    return new tinyllm_model(load_model(given(path, "path"), load), pool);
  });
}

void tinyllm_free(tinyllm_model* model) { delete model; }

int64_t tinyllm_vocab_size(const tinyllm_model* model) {
  return guarded(int64_t{-1}, [&] { return given(model, "model")->model.config.vocab_size; });
}

int64_t tinyllm_context(const tinyllm_model* model) {
  return guarded(int64_t{-1}, [&] { return given(model, "model")->session.context(); });
}

int64_t tinyllm_embedding_size(const tinyllm_model* model) {
  return guarded(int64_t{-1}, [&] { return given(model, "model")->model.config.dim; });
}

int64_t tinyllm_tokenize(const tinyllm_model* model, const char* text, int64_t size, int32_t* tokens, int64_t room) {
  return guarded(int64_t{-1}, [&] {
    const std::span<const char> bytes = list(text, size, "text");
    const std::vector<int32_t> all =
        given(model, "model")->model.tokenizer->encode_alone(std::string_view(bytes.data(), bytes.size()));
    return hand_over<int32_t>(all, tokens, room);
  });
}

int64_t tinyllm_detokenize(const tinyllm_model* model, const int32_t* tokens, int64_t count, char* text, int64_t room) {
  return guarded(int64_t{-1}, [&] {
    const std::string all = given(model, "model")->model.tokenizer->decode(list(tokens, count, "tokens"));
    return hand_over<char>(all, text, room);
  });
}

int64_t tinyllm_chat_prompt(const tinyllm_model* model, const tinyllm_message* messages, int64_t count, int32_t* tokens,
                            int64_t room) {
  return guarded(int64_t{-1}, [&] {
    Messages conversation;
    for (const tinyllm_message& message : list(messages, count, "messages")) {
      const std::string_view role = given(message.role, "role");
      const auto known = parse_name<Role>(role);
      if (!known) throw Error("role: is \"{}\", expected system, user, assistant or tool", role);
      conversation.push_back({*known, given(message.content, "content")});
    }
    const Model& m = given(model, "model")->model;
    const std::vector<int32_t> all = chat_prompt(*m.tokenizer, *m.chat_template, conversation, m.config.context - 1);
    return hand_over<int32_t>(all, tokens, room);
  });
}

tinyllm_generate_options tinyllm_generate_defaults(const tinyllm_model* model) {
  static const SamplingDefaults kNone;
  const SamplingDefaults& recommended = model == nullptr ? kNone : model->model.sampling;
  const Sampling plain;
  return {.max_tokens = GenerateOptions().max_tokens,
          .temperature = recommended.temperature.value_or(plain.temperature),
          .top_k = recommended.top_k.value_or(plain.top_k),
          .top_p = recommended.top_p.value_or(plain.top_p),
          .min_p = recommended.min_p.value_or(plain.min_p),
          .repetition_penalty = recommended.repetition_penalty.value_or(plain.repetition_penalty),
          .frequency_penalty = plain.frequency_penalty,
          .presence_penalty = plain.presence_penalty,
          .seed = 0,
          .stop = nullptr,
          .stop_count = 0};
}

int32_t tinyllm_generate(tinyllm_model* model, const int32_t* prompt, int64_t count,
                         const tinyllm_generate_options* options, tinyllm_on_text on_text, void* user) {
  return guarded(int32_t{-1}, [&] {
    const std::span<const int32_t> tokens = list(prompt, count, "prompt");
    const Request request{.prompt = {tokens.begin(), tokens.end()},
                          .options = options_of(options == nullptr ? tinyllm_generate_defaults(model) : *options)};
    const OnText pass_on = [&](size_t, std::string_view text) {
      return on_text == nullptr || text.empty() || on_text(user, text.data(), std::ssize(text)) != 0;
    };
    return reason_of(generate(given(model, "model")->session, {&request, 1}, pass_on)[0]);
  });
}

int32_t tinyllm_embed(tinyllm_model* model, const int32_t* tokens, int64_t count, float* vector) {
  return guarded(int32_t{-1}, [&] {
    const std::span<const int32_t> given_tokens = list(tokens, count, "tokens");
    const std::vector<int32_t> text(given_tokens.begin(), given_tokens.end());
    const std::vector<float> found = embed(given(model, "model")->session, {&text, 1})[0];
    hand_over<float>(found, vector, std::ssize(found));
    return 0;
  });
}
