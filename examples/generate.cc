// Answers one prompt, as text or as JSON.
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/generate.h>

#include "common/answer_options.h"
#include "common/interrupt.h"
#include "common/output.h"
#include "common/parse.h"

#include <nlohmann/json.hpp>

#include <exception>

namespace tl = tinyllm;

namespace {

struct Options : tl::cli::PromptOptions {
  bool raw = false;
  bool json = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Answers one prompt, which is an argument, an option, or all of standard input. The same seed gives the same "
      "text.");
  tl::cli::add_prompt(app, o);
  app.add_flag("--raw", o.raw, "Continue the prompt as it is, instead of as a message in the chat template.");
  app.add_flag("--json", o.json, "Print one line of JSON at the end instead of the text as it is generated.");
  tl::cli::add_ask_options(app, o);
  tl::cli::add_number(app, "--seed", o.answer.sampling.seed, tl::at_least(0), "Sample with this seed.");
  tl::cli::add_examples(app,
                        {"generate tinyllm-model '计算：1+2*3'",
                         "generate -m tinyllm-model -p 'Once upon a time' --raw --temp 0.7 -n 100 --json"},
                        "chat tinyllm-model");
  tl::cli::parse(app, argc, argv);
  tl::cli::take_prompt(app, o);
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

int generate(Options o) {
  if (o.prompt.empty()) throw tl::Error("the prompt is empty");
  const tl::ThreadPool pool(o.threads);
  const tl::Model model = tl::cli::load(o.model, o.load, pool);
  tl::cli::take_sampling_defaults(model.sampling, o);
  tl::Session session(model, {.cache_type = o.cache_type, .pool = pool});
  // The whole prompt or an Error: nothing is left out silently.
  const tl::Messages messages = {{tl::Role::system, o.system}, {tl::Role::user, o.prompt}};
  const tl::Request request{
      .prompt = o.raw ? model.tokenizer->encode_alone(o.prompt)
                      : chat_prompt(*model.tokenizer, *model.chat_template, messages, session.context() - 1),
      .options = o.answer};
  const tl::cli::InterruptGuard guard;
  std::exception_ptr
      unwritten;  // A request would turn it into an Error, and `run_main` must know that it is the output.
  const tl::Completion answer = std::move(tl::generate(session, {&request, 1}, [&](size_t, std::string_view text) {
    try {
      if (!o.json && !unwritten) tl::cli::print_text(text);
    } catch (...) {
      unwritten = std::current_exception();
    }
    return unwritten == nullptr && tl::cli::interrupts == 0;
  })[0]);
  if (unwritten) std::rethrow_exception(unwritten);
  if (o.json) {
    print_json(answer, o);
  } else if (!answer.text.ends_with('\n')) {
    fmt::print("\n");
  }
  return answer.finish_reason == tl::FinishReason::cancelled ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return generate(parse(argc, argv)); });
}
