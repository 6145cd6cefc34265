// Prompts that are texts or tokens. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/engine.h>
#include <tinyllm/runtime/serve/job.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The most prompts of one request, and the most answers to all of them together.
inline constexpr size_t kMaxPrompts = 2048;

struct TextPrompt {
  std::string text;  ///< Of the tokens, if they were sent.
  SharedTokens tokens;
};

/// A text, a list of tokens, or a list of either. A text begins with the token that begins documents of the model, if
/// it has one. Throws ApiError that names `param`: also on an empty text without such a token.
std::vector<TextPrompt> read_prompts(const Json& value, std::string_view param, const Engine& engine);

/// Throws ApiError when a text has more bytes than the tokens of a full context can have.
void check_size(std::string_view text, std::string_view param, const Engine& engine);

/// A list of tokens. Throws ApiError on one outside the vocabulary.
std::vector<int32_t> read_tokens(const Json& list, std::string_view param, const Engine& engine);

/// The token that begins documents of a model: what its chat template calls so. Empty if it has none.
std::vector<int32_t> begin_tokens(const Model& model);

}  // namespace tinyllm
