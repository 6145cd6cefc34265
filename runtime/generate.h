#pragma once

#include <tinyllm/runtime/sampler.h>
#include <tinyllm/runtime/session.h>

#include <string>
#include <string_view>

namespace tinyllm {

struct AnswerOptions {
  int64_t max_tokens = 256;
  Sampling sampling = {};
  std::vector<std::string> stop = {};  ///< The answer ends before the first occurrence of any of these.
};

/// A prompt to continue.
struct Request {
  std::vector<int32_t> prompt;
  AnswerOptions options = {};
  /// Optional cache to reuse. Any prefix of the prompt that it holds is not computed again. Afterwards it holds the
  /// prompt and the answer, except sampled tokens that were never fed back (the last one).
  Sequence* sequence = nullptr;
  /// Called when the context is full. Returns a shorter prompt, so that prompt plus answer fit again. If it is not set,
  /// or returns an empty or still too long prompt, the answer ends.
  std::function<std::vector<int32_t>(int64_t answered)> shorten = {};
};

enum class Ended : uint8_t { end_token, stop_string, max_tokens, context_full, cancelled };
/// `end token`, `stop string`...
const char* name_of(Ended ended);

struct Answer {
  std::vector<int32_t> tokens;  ///< Without the end token.
  std::string text;             ///< UTF-8, without the stop string.
  Ended ended = Ended::end_token;
  int64_t prompt_tokens = 0;
  int64_t read_tokens = 0;         ///< Those of the prompt that were not cached.
  double first_token_seconds = 0;  ///< From the call to the first token.
  double seconds = 0;              ///< From the call to the end.
};

/// Called after each pass with the text that it completed, perhaps none. Return false to end the answer there.
using OnText = std::function<bool(size_t request, std::string_view text)>;

/// Answers requests: at most `session.sequences()` at a time, the next one as soon as one is done. A common beginning
/// of all prompts is read once. An answer depends on its own request alone, to the bit. Throws Error, before it begins,
/// on an empty prompt, on one that leaves no room in the context, and on invalid options.
std::vector<Answer> generate(Session& session, std::span<const Request> requests, const OnText& on_text = {});

}  // namespace tinyllm
