// Answers one prompt, as text or as JSON.
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/generate.h>

#include "common/answer_options.h"
#include "common/interrupt.h"
#include "common/output.h"
#include "common/parse.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>

namespace tl = tinyllm;

namespace {

struct Options : tl::cli::AskOptions {
  std::string prompt;
  bool raw = false;
  bool json = false;
};

// Model and prompt can be named by options or by position: with --model, the first word is the prompt.
void resolve(CLI::App& app, const std::vector<std::string>& words, Options& o) {
  size_t used = 0;
  if (o.model.empty() && used < words.size()) o.model = words[used++];
  const bool has_prompt = app.count("--prompt") > 0 || used < words.size();
  if (app.count("--prompt") == 0 && used < words.size()) o.prompt = words[used++];
  if (o.model.empty()) throw CLI::RequiredError("--model");
  if (used < words.size()) throw CLI::ExtrasError(std::vector(words.begin() + static_cast<int>(used), words.end()));
  if (!has_prompt) o.prompt = std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Options parse(int argc, char** argv) {
  Options o;
  std::vector<std::string> words;
  CLI::App app("Answers one prompt. The same seed gives the same text.");
  app.footer(
      "Examples:\n"
      "  generate tinyllm-model '计算：1+2*3'\n"
      "  generate -m tinyllm-model -p 'Once upon a time' --raw --temp 0.7 -n 100 --json\n"
      "Next: chat talks to the same model.");
  app.add_option("words", words, "The model folder, and the prompt. Without a prompt, all of the input stream is it.")
      ->expected(0, 2);
  app.add_option("-m,--model", o.model, "Use the model in this folder.");
  app.add_option("-p,--prompt", o.prompt, "Answer this text.");
  app.add_flag("--raw", o.raw, "Continue the prompt as it is, instead of as a message in the chat template.");
  app.add_flag("--json", o.json, "Print one line of JSON at the end, instead of the text as it is generated.");
  tl::cli::add_ask_options(app, o);
  app.add_option("--seed", o.answer.sampling.seed, "Sample with this seed.")
      ->check(tl::cli::seed_number())
      ->capture_default_str();
  app.parse_complete_callback([&] { resolve(app, words, o); });
  tl::cli::parse(app, argc, argv);
  return o;
}

void print_json(const tl::Completion& answer, const Options& o) {
  const auto count = static_cast<double>(answer.tokens.size());
  const double rest = answer.seconds - answer.first_token_seconds;
  const nlohmann::ordered_json json = {{"text", answer.text},
                                       {"tokens", answer.tokens},
                                       {"finish_reason", name_of(answer.finish_reason)},
                                       {"prompt_tokens", answer.prompt_tokens},
                                       {"cached_tokens", answer.cached_tokens},
                                       {"seed", o.answer.sampling.seed},
                                       {"first_token_seconds", answer.first_token_seconds},
                                       {"tokens_per_second", count > 1 && rest > 0 ? (count - 1) / rest : 0.0}};
  fmt::print("{}\n", json.dump());
}

int generate(const Options& o) {
  if (o.prompt.empty()) throw tl::Error("the prompt is empty");
  const tl::Model model = tl::load_model(o.model);
  tl::Session session(model, {.context = o.context, .threads = o.threads});
  // The whole prompt or an Error: nothing is left out silently.
  const tl::Request request{
      .prompt = o.raw ? model.tokenizer.encode(o.prompt)
                      : tl::chat_prompt(model.tokenizer, {o.system, {{o.prompt, ""}}}, session.context() - 1),
      .options = o.answer};
  const tl::cli::InterruptGuard guard;
  const tl::Completion answer = std::move(tl::generate(session, {&request, 1}, [&](size_t, std::string_view text) {
    if (!o.json) {
      tl::cli::print_text(text);
      tl::cli::flush_output();
    }
    return tl::cli::interrupts == 0;
  })[0]);
  if (o.json) {
    print_json(answer, o);
  } else if (!answer.text.ends_with('\n')) {
    fmt::print("\n");
  }
  tl::cli::flush_output();
  return answer.finish_reason == tl::FinishReason::cancelled ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return generate(parse(argc, argv)); });
}
