#include <tinyllm/runtime/serve/prompts.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/ask.h>
#include <tinyllm/runtime/text_stream.h>

namespace tinyllm {
namespace {

TextPrompt prompt_of(const Json& value, std::string_view param, const Engine& engine) {
  const Tokenizer& tokenizer = *engine.model.tokenizer;
  if (value.is_array()) {
    TextPrompt prompt;
    prompt.tokens = std::make_shared<const std::vector<int32_t>>(read_tokens(value, param, engine));
    prompt.text = replace_broken_characters(tokenizer.decode(*prompt.tokens));
    return prompt;
  }
  if (!value.is_string()) {
    throw ApiError(400, "invalid_type", param, "{}: is {}, expected a string or a list of tokens", param,
                   type_of(value));
  }
  TextPrompt prompt{value.get<std::string>(), {}};
  check_size(prompt.text, param, engine);
  std::vector<int32_t> tokens = begin_tokens(engine.model);
  const std::vector<int32_t> more = tokenizer.encode(prompt.text);
  tokens.insert(tokens.end(), more.begin(), more.end());
  prompt.tokens = std::make_shared<const std::vector<int32_t>>(std::move(tokens));
  return prompt;
}

}  // namespace

void check_size(std::string_view text, std::string_view param, const Engine& engine) {
  if (static_cast<int64_t>(text.size()) <= engine.context * kMaxBytesPerToken) return;
  throw ApiError(400, "context_length_exceeded", param,
                 "{}: {} bytes are more than {} tokens can be, the context of the model", param, text.size(),
                 engine.context);
}

std::vector<int32_t> read_tokens(const Json& list, std::string_view param, const Engine& engine) {
  std::vector<int32_t> tokens;
  for (const Json& value : list) {
    const bool is_token = value.is_number_integer() && value >= 0 && value < engine.model.tokenizer->size();
    if (!is_token) {
      throw ApiError(400, "invalid_value", param, "{}: token {}, expected 0 to {}", param, shown(value),
                     engine.model.tokenizer->size() - 1);
    }
    tokens.push_back(value.get<int32_t>());
  }
  return tokens;
}

std::vector<TextPrompt> read_prompts(const Json& value, std::string_view param, const Engine& engine) {
  std::vector<TextPrompt> prompts;
  const bool is_one = !value.is_array() || value.empty() || value[0].is_number();
  if (is_one) {
    prompts.push_back(prompt_of(value, param, engine));
  } else {
    if (value.size() > kMaxPrompts) {
      throw ApiError(400, "invalid_value", param, "{}: {} prompts, expected at most {}", param, value.size(),
                     kMaxPrompts);
    }
    for (const Json& one : value) prompts.push_back(prompt_of(one, param, engine));
  }
  for (const TextPrompt& prompt : prompts) {
    if (prompt.tokens->empty()) throw ApiError(400, "invalid_value", param, "{}: is empty, expected some text", param);
  }
  return prompts;
}

std::vector<int32_t> begin_tokens(const Model& model) {
  const auto* jinja = dynamic_cast<const JinjaChatTemplate*>(model.chat_template.get());
  if (jinja == nullptr || jinja->settings().bos_token.empty()) return {};
  const std::optional<int32_t> token = model.tokenizer->special(jinja->settings().bos_token);
  return token ? std::vector{*token} : std::vector<int32_t>{};
}

}  // namespace tinyllm
