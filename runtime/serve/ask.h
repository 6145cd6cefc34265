// From the fields of a request to a job. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/constraint/tool_calls.h>
#include <tinyllm/runtime/serve/engine.h>
#include <tinyllm/runtime/serve/fields.h>
#include <tinyllm/runtime/serve/job.h>

#include <optional>

namespace tinyllm {

/// A text is at most so many bytes for each token of the context, or it cannot fit: it is refused before it is encoded.
inline constexpr int64_t kMaxBytesPerToken = 512;

/// How every endpoint that answers is to word its reply.
struct ReplyOptions {
  bool streams = false;
  bool wants_usage = false;  ///< In a stream.
  int64_t log_probs = -1;    ///< Of how many of the likeliest tokens; -1: none.
  uint64_t seed = 0;
  std::optional<CallStyle> calls = {};  ///< How an answer writes a call of a tool; none: it calls none.
};

/// What every endpoint that answers has in common.
struct Ask : ReplyOptions {
  Job job;
};

/// The options of sampling, the stop strings of field `stop`, the seed (a new one if none was sent) and streaming.
/// Throws ApiError.
Ask read_ask(const Fields& fields, Endpoint endpoint, const Engine& engine);

/// Sets the longest answer: `max_tokens`, or -1 for all that the context leaves. Throws ApiError
/// (context_length_exceeded, naming `param`) when a prompt leaves no room. `may_be_full`: an answer of 0 tokens is
/// fine.
void set_max_tokens(Job& job, int64_t max_tokens, const Engine& engine, std::string_view param,
                    bool may_be_full = false);

/// The prompt that asks for an answer to a conversation. `continues`: it goes on with the last message, the
/// assistant's. `tools`: a list in JSON for the template, or empty. Throws ApiError that names `param`.
Job::Choice prompt_of(Messages messages, const Engine& engine, std::string_view param, bool continues = false,
                      const std::string& tools = {});

/// Throws ApiError that names n when the log-probabilities of all answers together would be too many for one reply.
void check_amount(const Job& job);

/// Adds `n` choices of one prompt, with seeds of their own: choice 0 is the only one of n = 1.
void add_choices(Job& job, const Job::Choice& prompt, int64_t n, uint64_t seed);

}  // namespace tinyllm
