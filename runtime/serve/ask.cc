#include <tinyllm/runtime/serve/ask.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/runtime/stop_strings.h>
#include <tinyllm/tensor/base/utf8.h>

#include <charconv>
#include <random>

namespace tinyllm {
namespace {

uint64_t new_seed() {
  std::random_device device;
  // Below 2^53, so that every client can send it back.
  return (uint64_t{device()} << 32 | device()) >> 11;
}

std::vector<std::pair<int32_t, float>> logit_bias_of(const Fields& fields, const Engine& engine) {
  std::vector<std::pair<int32_t, float>> biases;
  const Json* given = fields.find("logit_bias");
  if (given == nullptr) return biases;
  for (const auto& [key, value] : given->items()) {
    int32_t token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    const bool is_token =
        error == std::errc() && end == key.data() + key.size() && token >= 0 && token < engine.model.config.vocab_size;
    if (!is_token) {
      throw ApiError(400, "invalid_value", "logit_bias", "logit_bias: token {}, expected 0 to {}", shortened(key),
                     engine.model.config.vocab_size - 1);
    }
    if (!value.is_number()) {
      throw ApiError(400, "invalid_type", "logit_bias", "logit_bias: token {}: is {}, expected a number", token,
                     type_of(value));
    }
    if (!between(-100, 100).contains(value.get<double>())) {
      throw ApiError(400, "invalid_value", "logit_bias", "logit_bias: token {}: {}, expected -100 to 100", token,
                     shown(value));
    }
    biases.emplace_back(token, value.get<float>());
  }
  return biases;
}

std::vector<std::string> stop_of(const Fields& fields, Endpoint endpoint) {
  if (endpoint == kResponses) return {};
  const char* name = endpoint == kMessages ? "stop_sequences" : "stop";
  std::vector<std::string> stop = fields.texts(name);
  try {
    StopStrings{stop};
  } catch (const Error& error) {
    throw ApiError(400, "invalid_value", name, "{}: {}", name, error.what());
  }
  return stop;
}

// A template that has no place for tools leaves them out.
std::vector<Piece> rendered(const ChatTemplate& chat_template, const Messages& messages, const std::string& tools) {
  const RenderOptions options{.add_generation_prompt = true};
  const auto* jinja = dynamic_cast<const JinjaChatTemplate*>(&chat_template);
  if (tools.empty() || jinja == nullptr) return chat_template.render(messages, options);
  JinjaSettings settings = jinja->settings();
  settings.tools = tools;
  return jinja->with(std::move(settings)).render(messages, options);
}

// An answer that was begun, as the model wrote it. `thinks`: its chain of thought is open already.
std::string begun_answer(const Message& message, bool thinks, const Model& model) {
  const std::string& thought = message.reasoning_content;
  if (thought.empty()) return (thinks ? "\n</think>\n\n" : "") + message.content;
  const bool is_ours = dynamic_cast<const JinjaChatTemplate*>(model.chat_template.get()) == nullptr;
  const std::string open = is_ours ? "【推理过程】\n" : thinks ? "" : "<think>\n";
  if (message.content.empty()) return open + thought;
  return open + thought + (is_ours ? "\n【最终答案】\n" : "\n</think>\n\n") + message.content;
}

bool wants_usage_of(const Fields& fields, bool streams) {
  const Json* options = fields.find("stream_options");
  if (options == nullptr || !streams) return false;
  const Json* include = find_field(*options, "include_usage");
  if (include == nullptr) return false;
  if (!include->is_boolean()) {
    throw ApiError(400, "invalid_type", "stream_options.include_usage",
                   "stream_options.include_usage: is {}, expected true or false", type_of(*include));
  }
  return include->get<bool>();
}

}  // namespace

Ask read_ask(const Fields& fields, Endpoint endpoint, const Engine& engine) {
  Ask ask;
  Sampling& sampling = ask.job.options.sampling;
  sampling.temperature = static_cast<float>(fields.number("temperature"));
  sampling.top_p = static_cast<float>(fields.number("top_p"));
  sampling.top_k = std::min(fields.whole("top_k"), engine.model.config.vocab_size);
  sampling.min_p = static_cast<float>(fields.number("min_p"));
  if (endpoint == kChat || endpoint == kCompletions) {
    sampling.repetition_penalty = static_cast<float>(fields.number("repetition_penalty"));
    sampling.presence_penalty = static_cast<float>(fields.number("presence_penalty"));
    sampling.frequency_penalty = static_cast<float>(fields.number("frequency_penalty"));
    sampling.logit_bias = logit_bias_of(fields, engine);
  }
  ask.seed = fields.find("seed") != nullptr ? static_cast<uint64_t>(fields.whole("seed")) : new_seed();
  ask.job.stop = stop_of(fields, endpoint);
  ask.streams = fields.flag("stream");
  ask.wants_usage = wants_usage_of(fields, ask.streams);
  return ask;
}

void set_max_tokens(Job& job, int64_t max_tokens, const Engine& engine, std::string_view param, bool may_be_full) {
  int64_t longest = 0;
  for (const Job::Choice& choice : job.choices) longest = std::max<int64_t>(longest, std::ssize(*choice.prompt));
  const int64_t room = engine.context - longest;
  if (room < (may_be_full ? 0 : 1)) {
    throw ApiError(400, "context_length_exceeded", param,
                   "the prompt has {} tokens, which leaves no room for an answer in the context of {} tokens", longest,
                   engine.context);
  }
  job.options.max_tokens = max_tokens < 0 ? room : std::min(room, max_tokens);
}

Job::Choice prompt_of(Messages messages, const Engine& engine, std::string_view param, bool continues,
                      const std::string& tools) {
  size_t bytes = tools.size();
  for (const Message& message : messages) {
    bytes += message.content.size() + message.reasoning_content.size() + message.tool_calls.size();
  }
  if (static_cast<int64_t>(bytes) > engine.context * kMaxBytesPerToken) {
    throw ApiError(400, "context_length_exceeded", param,
                   "the messages have {} bytes, which is more than {} tokens can be, the context of the model", bytes,
                   engine.context);
  }
  Message last;
  if (continues) {
    last = std::move(messages.back());
    messages.pop_back();
  }
  try {
    std::vector<Piece> pieces = rendered(*engine.model.chat_template, messages, tools);
    std::string begun = begun_thinking(pieces);
    if (continues) {
      const std::string more = begun_answer(last, !begun.empty(), engine.model);
      begun += more;
      pieces.push_back({more, false, false});
    }
    auto tokens = std::make_shared<const std::vector<int32_t>>(tokenize(*engine.model.tokenizer, pieces).tokens);
    return {std::move(tokens), 0, begun};
  } catch (const Error& error) {
    throw ApiError(400, "invalid_value", param, "{}: {}", param, error.what());
  }
}

void check_amount(const Job& job) {
  constexpr int64_t kMost = int64_t{1} << 21;
  int64_t listed = 0;
  for (const Job::Choice& choice : job.choices) {
    listed += job.options.max_tokens * (job.options.top_log_probs + 1) +
              std::ssize(*choice.prompt) * (job.options.prompt_log_probs + 1);
  }
  if (job.choices.size() == 1 || listed <= kMost) return;
  throw ApiError(400, "invalid_value", "n",
                 "n: {} answers of up to {} tokens have {} log-probabilities, expected at most {} in one reply",
                 job.choices.size(), job.options.max_tokens, listed, kMost);
}

void add_choices(Job& job, const Job::Choice& prompt, int64_t n, uint64_t seed) {
  for (int64_t c = 0; c < n; ++c) {
    job.choices.push_back(prompt);
    job.choices.back().seed = seed_of_choice(seed, c);
  }
}

}  // namespace tinyllm
