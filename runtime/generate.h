#pragma once

#include <tinyllm/runtime/sampler.h>
#include <tinyllm/runtime/session.h>

#include <string>
#include <string_view>

namespace tinyllm {

struct AnswerOptions {
  int64_t max_tokens = 256;
  Sampling sampling = {};
  std::vector<std::string> stop = {};  ///< The answer ends before the first of these texts in it.
};

/// A prompt that is to be continued.
struct Request {
  std::vector<int32_t> prompt;
  AnswerOptions options = {};
  /// Where not null: what it holds of the prompt's beginning is not read again, and it holds the prompt and the answer
  /// afterwards, but for tokens that were not read any more. Null: a sequence of the request's own.
  Sequence* sequence = nullptr;
  /// What happens when the context is full. Empty: the answer ends. Else it is asked for a shorter prompt to go on from
  /// behind which the tokens answered so far fit; where it gives none, or one that is too long, the answer ends.
  std::function<std::vector<int32_t>(int64_t answered)> shorten = {};
};

enum class Ended : uint8_t { end_token, stop_string, max_tokens, context_full, cancelled };
/// `end token`, `stop string`...
const char* name_of(Ended ended);

struct Answer {
  std::vector<int32_t> tokens;  ///< Without the end token.
  std::string text;             ///< UTF-8, without the stop string.
  Ended ended = Ended::end_token;
  int64_t prompt_tokens = 0;       ///< Of the prompt,
  int64_t read_tokens = 0;         ///< and those of them that were not held already.
  double first_token_seconds = 0;  ///< From the call to the first token.
  double seconds = 0;              ///< From the call to the end.
};

/// Called after each pass with the text that became certain by it, perhaps none; return false to end the answer there.
using OnText = std::function<bool(size_t request, std::string_view text)>;

/// Answers requests: at most `session.sequences()` at once, the next one as soon as one is done. What all prompts begin
/// with is read once. An answer depends on its own request alone, to the bit. Throws Error, before it begins, on an
/// empty prompt, one that leaves no room in the context, and options without meaning.
std::vector<Answer> generate(Session& session, std::span<const Request> requests, const OnText& on_text = {});

}  // namespace tinyllm
