#pragma once

#include <tinyllm/runtime/log_probs.h>
#include <tinyllm/runtime/sampler.h>
#include <tinyllm/runtime/session.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// What may follow an answer so far.
struct NextTokens {
  std::vector<int32_t> forced = {};            ///< Tokens to append without drawing; empty: draw one.
  const std::vector<bool>* allowed = nullptr;  ///< Which tokens of the vocabulary may be drawn; null: all.
};

/// Restricts or forces the tokens of an answer: a schema, a grammar, a calculator. Called before a token with the
/// tokens so far, on any thread of the session's pool, and must depend on these alone: with `top_log_probs`, only the
/// first forced token is taken each time. The end token is like any other: it ends the answer if it is forced or drawn,
/// and is not drawn unless allowed.
using Constraint = std::function<NextTokens(std::span<const int32_t> answer)>;

/// How to continue a prompt.
struct GenerateOptions {
  int64_t max_tokens = 256;  ///< 0: nothing is drawn; the prompt is only read.
  Sampling sampling = {};
  std::vector<std::string> stop = {};  ///< The answer ends before the first occurrence of any of these.
  /// -1: none. Otherwise the log-probability of each token of the answer, and of that many of the likeliest tokens.
  int64_t top_log_probs = -1;
  /// The same for the tokens of the prompt.
  int64_t prompt_log_probs = -1;
  Constraint constraint = {};
};

enum class FinishReason : uint8_t { end_token, stop_string, max_tokens, context_full, cancelled, failed };
constexpr auto names(FinishReason) {
  return std::array{"end token", "stop string", "max tokens", "context full", "cancelled", "failed"};
}

/// A continued prompt.
struct Completion {
  std::vector<int32_t> tokens;  ///< Without the end token.
  std::string text;             ///< UTF-8, without the stop string.
  /// For each token, the size of the text before the first byte that the token contributes. A token that continues a
  /// character has the size before that character; one of the stop string has the size of the text.
  std::vector<size_t> offsets;
  std::vector<TokenLogProbs> log_probs;  ///< For each token, if `top_log_probs` is 0 or more.
  /// For each token of the prompt but the first, if `prompt_log_probs` is 0 or more.
  std::vector<TokenLogProbs> prompt_log_probs;
  FinishReason finish_reason = FinishReason::end_token;
  /// If an end token ended it: which, and its log-probability, if `top_log_probs` is 0 or more.
  int32_t end_token = -1;
  std::optional<TokenLogProbs> end_log_probs;
  std::string error;  ///< Why it failed; empty otherwise.
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;       ///< Tokens of the prompt that were not computed again.
  double first_token_seconds = 0;  ///< From `submit` to the first token.
  double seconds = 0;              ///< From `submit` to the end.
};

/// A prompt to continue. A request fails if `shorten`, `on_text`, `on_hidden` or its constraint throws.
struct Request {
  std::vector<int32_t> prompt;
  GenerateOptions options = {};
  /// What is computed for one group is not used for another, so that nobody can find out what others have asked by the
  /// time that an answer takes.
  uint64_t group = 0;
  /// Optional cache to reuse. Any prefix of the prompt that it holds is not computed again. Afterwards it holds the
  /// prompt and the answer, except sampled tokens that were never fed back (the last one). Used by one request at a
  /// time: another one waits. If null, the batcher looks for the longest prefix that it has.
  Sequence* sequence = nullptr;
  /// Called when the context is full. Returns a shorter prompt, so that prompt plus answer fit again. If it is not set,
  /// or returns an empty or still too long prompt, the answer ends.
  std::function<std::vector<int32_t>(int64_t answered)> shorten = {};
  /// Called after each pass that advances the request, with the text that it completed, perhaps none, and the answer so
  /// far. Return false to end the answer.
  std::function<bool(std::string_view text, const Completion& so_far)> on_text = {};
  /// Called for each token of the prompt in order with its hidden state [C] after the last norm.
  std::function<void(std::span<const float> hidden)> on_hidden = {};
  /// Called once, at the end. What it throws, `Batcher::step` throws; the batcher can then only be destroyed.
  std::function<void(Completion completion)> on_done = {};

  /// Whether every token of the prompt must be computed, also those that a cache has.
  bool reads_whole_prompt() const { return options.prompt_log_probs >= 0 || on_hidden; }
};

}  // namespace tinyllm
