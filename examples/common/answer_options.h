#pragma once

#include <tinyllm/runtime/generate.h>

#include <CLI/CLI.hpp>

namespace tinyllm::cli {

/// What `chat` and `generate` ask for alike: how an answer is drawn, and where it ends.
inline void add_answer_options(CLI::App& app, AnswerOptions& o) {
  app.add_option("--max-tokens", o.max_tokens, "Longest answer")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->capture_default_str();
  app.add_option("--temperature", o.sampling.temperature, "0: always the likeliest token")->capture_default_str();
  app.add_option("--top-k", o.sampling.top_k, "Draw from so many of the likeliest tokens; 0: from all")
      ->capture_default_str();
  app.add_option("--top-p", o.sampling.top_p, "Draw from the likeliest tokens that are so likely together")
      ->capture_default_str();
  app.add_option("--min-p", o.sampling.min_p, "Draw from tokens at least so likely, as a part of the likeliest")
      ->capture_default_str();
  app.add_option("--repetition-penalty", o.sampling.repetition_penalty, "Above 1: against tokens that are there")
      ->capture_default_str();
  app.add_option_function<std::vector<std::string>>(
         "--logit-bias",
         [&o](const std::vector<std::string>& given) {
           for (const std::string& pair : given) {
             std::pair<int32_t, float> bias;
             const size_t colon = std::min(pair.find(':'), pair.size());
             if (colon == pair.size() || !CLI::detail::lexical_cast(pair.substr(0, colon), bias.first) ||
                 !CLI::detail::lexical_cast(pair.substr(colon + 1), bias.second)) {
               throw CLI::ConversionError("--logit-bias " + pair + ": expected a token and a number, as 5:-1.5");
             }
             o.sampling.logit_bias.push_back(bias);
           }
         },
         "A token and what its logit is raised by, as 5:-1.5; may be given several times")
      ->allow_extra_args(false);
  app.add_option("--stop", o.stop, "End the answer before this text; may be given several times")
      ->allow_extra_args(false);
}

}  // namespace tinyllm::cli
