#pragma once

#include <tinyllm/runtime/generate.h>

#include "number.h"
#include "parse.h"

#include <string>

namespace tinyllm::cli {

/// What `chat` and `generate` have in common: the model, how it is run, and how it answers.
struct AskOptions {
  std::string model;
  std::string system = "你是严谨的中文推理助手";
  GenerateOptions answer;
  int64_t context = 0;
  int threads = hardware_threads();
};

inline void add_logit_bias(CLI::App& app, std::vector<std::pair<int32_t, float>>& biases) {
  const auto read = [&biases](const std::vector<std::string>& given) {
    for (const std::string& pair : given) {
      std::pair<int32_t, float> bias;
      const size_t colon = std::min(pair.find(':'), pair.size());
      if (colon == pair.size() || !CLI::detail::lexical_cast(pair.substr(0, colon), bias.first) ||
          !CLI::detail::lexical_cast(pair.substr(colon + 1), bias.second)) {
        throw CLI::ConversionError("--logit-bias " + pair + ": expected a token and a number, as 5:-1.5");
      }
      biases.push_back(bias);
    }
  };
  app.add_option_function<std::vector<std::string>>("--logit-bias", read,
                                                    "Add a number to the logit of a token, as 5:-1.5. May be repeated.")
      ->allow_extra_args(false);
}

inline void add_ask_options(CLI::App& app, AskOptions& o) {
  Sampling& sampling = o.answer.sampling;
  app.add_option("--system", o.system, "Give the model this system prompt.")->capture_default_str();
  app.add_option("-n,--max-tokens", o.answer.max_tokens, "End an answer after this many tokens.")
      ->check(between(1, 1 << 24, "1 to 16777216"))
      ->capture_default_str();
  app.add_option("-c,--context", o.context,
                 "Limit prompt and answer together to this many tokens, which saves memory. 0: the model's context.")
      ->check(between(0, 1 << 24, "0 or more"))
      ->capture_default_str();
  app.add_option("--temp", sampling.temperature,
                 "Set the sampling temperature: 0 always takes the likeliest token, more gives more variety.")
      ->check(between(0, 1e6, "0 or more"))
      ->capture_default_str();
  app.add_option("--top-k", sampling.top_k, "Sample only from this many of the likeliest tokens. 0: from all.")
      ->check(between(0, 1 << 24, "0 or more"))
      ->capture_default_str();
  app.add_option("--top-p", sampling.top_p,
                 "Sample only from the smallest set of tokens whose probabilities reach this sum. 1: from all.")
      ->check(between(1e-9, 1, "more than 0, at most 1"))
      ->capture_default_str();
  app.add_option("--min-p", sampling.min_p,
                 "Sample only from tokens with at least this fraction of the likeliest one's probability. 0: from all.")
      ->check(between(0, 1, "0 to 1"))
      ->capture_default_str();
  app.add_option("--repetition-penalty", sampling.repetition_penalty,
                 "Make tokens that are already in the text less likely: divide their logits by this number. 1: off.")
      ->check(between(1e-6, 1e6, "more than 0"))
      ->capture_default_str();
  add_logit_bias(app, sampling.logit_bias);
  app.add_option("--stop", o.answer.stop, "End an answer before this text. May be repeated.")->allow_extra_args(false);
  app.add_option("-t,-j,--threads", o.threads, "Compute with this many threads.")
      ->check(between(1, ThreadPool::kMaxThreads, fmt::format("1 to {}", ThreadPool::kMaxThreads)))
      ->capture_default_str();
}

}  // namespace tinyllm::cli
