#pragma once

#include <tinyllm/runtime/generate.h>

#include "model_options.h"
#include "program.h"

#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace tinyllm::cli {

/// Options that `chat`, `generate` and `reason` share: the model, how it runs, and how it answers.
struct AskOptions {
  std::string model;
  std::string system = "你是严谨的中文推理助手";
  GenerateOptions answer;
  std::set<std::string> given;  ///< The options of the command line, by their long names.
  LoadOptions load;
  DType cache_type = SessionOptions{}.cache_type;
  int threads = hardware_threads();
};

inline void add_logit_bias(CLI::App& app, std::vector<std::pair<int32_t, float>>& biases) {
  const auto read = [&biases](const std::vector<std::string>& given) {
    for (const std::string& pair : given) {
      auto& [token, number] = biases.emplace_back();
      const size_t colon = std::min(pair.find(':'), pair.size());
      if (colon == pair.size() || !read_number(pair.substr(0, colon), at_least(0), token).empty() ||
          !read_number(pair.substr(colon + 1), any_number(), number).empty()) {
        throw CLI::ConversionError(
            fmt::format("--logit-bias: {}, expected the number of a token and what to add, as 5:-1.5", pair));
      }
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--logit-bias", read,
         "Add X to the logit of the token with this number, as 5:-1.5; may be given several times.")
      ->type_name("TOKEN:X")
      ->allow_extra_args(false);
}

inline void add_ask_options(CLI::App& app, AskOptions& o) {
  Sampling& sampling = o.answer.sampling;
  constexpr double kMost = 1 << 24;
  app.add_option("--system", o.system, "Give the model this system prompt.")->type_name("TEXT")->capture_default_str();
  add_number(app, "-n,--max-tokens", o.answer.max_tokens, between(1, kMost), "End an answer after N tokens.");
  add_load_options(app, o.load);
  add_choice(app, "--cache-type", o.cache_type, {{name_of(f32), f32}, {name_of(f16), f16}},
             "Store keys and values in this type: f16 takes half the memory of f32.");
  add_number(app, "--temp", sampling.temperature, at_least(0),
             "Sample at this temperature: 0 always takes the likeliest token, and higher values give more variety.");
  add_number(app, "--top-k", sampling.top_k, between(0, kMost),
             "Sample from the N likeliest tokens only; 0 is from all.");
  add_number(app, "--top-p", sampling.top_p, {.low = 0, .high = 1, .excludes_low = true},
             "Sample only from the smallest set of tokens whose probabilities reach this sum; 1 is from all.");
  add_number(app, "--min-p", sampling.min_p, fraction(),
             "Sample only from tokens with at least this fraction of the likeliest one's probability; 0 is from all.");
  add_number(app, "--repetition-penalty", sampling.repetition_penalty, above(0),
             "Make tokens that are already in the text less likely: divide their positive logits by this number, and "
             "multiply their negative ones by it; 1 changes nothing.");
  add_logit_bias(app, sampling.logit_bias);
  app.add_option("--stop", o.answer.stop, "End an answer before this text; may be given several times.")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  add_threads(app, o.threads);
  app.final_callback([&app, &o] {
    for (const CLI::Option* option : app.get_options()) {
      if (option->count() > 0) o.given.insert(option->get_name());
    }
  });
}

/// Samples as the makers of the model do, except where an option was given, and prints what was taken.
inline void take_sampling_defaults(const SamplingDefaults& defaults, AskOptions& o) {
  std::string taken;
  const auto take = [&](const char* option, const auto& value, auto& into) {
    if (!value || o.given.contains(option)) return;
    into = *value;
    taken += fmt::format(" {} {}", option, *value);
  };
  Sampling& sampling = o.answer.sampling;
  take("--temp", defaults.temperature, sampling.temperature);
  take("--top-k", defaults.top_k, sampling.top_k);
  take("--top-p", defaults.top_p, sampling.top_p);
  take("--min-p", defaults.min_p, sampling.min_p);
  take("--repetition-penalty", defaults.repetition_penalty, sampling.repetition_penalty);
  if (!taken.empty()) note(fmt::format("as the model's generation_config.json says:{}\n", taken));
}

/// Options of programs that answer one prompt.
struct PromptOptions : AskOptions {
  std::vector<std::string> words;  ///< The arguments.
  std::string prompt;
};

inline void add_prompt(CLI::App& app, PromptOptions& o) {
  app.add_option("arguments", o.words, "The model and the prompt, unless --model and --prompt give them.")
      ->type_name("TEXT")
      ->expected(0, 2);
  app.add_option("-m,--model", o.model, "Use the model in this folder or GGUF file.")->type_name("MODEL");
  app.add_option("-p,--prompt", o.prompt, "Answer this text.")->type_name("TEXT");
}

/// After the command line was parsed. With --model, the first argument is the prompt; without any, the prompt is all of
/// standard input.
inline void take_prompt(const CLI::App& app, PromptOptions& o) {
  size_t used = 0;
  if (o.model.empty() && used < o.words.size()) o.model = o.words[used++];
  const bool has_prompt = app.count("--prompt") > 0 || used < o.words.size();
  if (app.count("--prompt") == 0 && used < o.words.size()) o.prompt = o.words[used++];
  if (o.model.empty()) throw UsageError("--model: missing");
  if (used < o.words.size()) throw UsageError("{}: unexpected argument", o.words[used]);
  if (!has_prompt) o.prompt = std::string(std::istreambuf_iterator<char>(std::cin), {});
}

}  // namespace tinyllm::cli
