// Continues one prompt, and says what came of it as text or as JSON.
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/generate.h>

#include "common/answer_options.h"
#include "common/interrupt.h"
#include "common/parse.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string folder;
  std::string prompt;
  std::string system = "你是严谨的中文推理助手";
  bool raw = false;
  bool json = false;
  tl::AnswerOptions answer;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app("Answers one prompt. The same seed gives the same text.");
  app.add_option("model", o.folder, "The model folder")->required();
  CLI::Option* prompt = app.add_option("prompt", o.prompt, "What to answer; default: all of the input stream");
  app.add_option("--system", o.system, "What the model is told first")->capture_default_str();
  app.add_flag("--raw", o.raw, "Continue the prompt as it is, not as a message of the chat template");
  app.add_flag("--json", o.json, "One line of JSON at the end, in place of the text as it comes");
  tl::cli::add_answer_options(app, o.answer);
  app.add_option("--seed", o.answer.sampling.seed, "Of what is drawn")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  tl::cli::parse(app, argc, argv);
  if (prompt->count() == 0) o.prompt = std::string(std::istreambuf_iterator<char>(std::cin), {});
  return o;
}

void print_json(const tl::Answer& answer, const Options& o) {
  const auto count = static_cast<double>(answer.tokens.size());
  const double rest = answer.seconds - answer.first_token_seconds;
  const nlohmann::ordered_json json = {{"text", answer.text},
                                       {"tokens", answer.tokens},
                                       {"ended", name_of(answer.ended)},
                                       {"prompt_tokens", answer.prompt_tokens},
                                       {"seed", o.answer.sampling.seed},
                                       {"first_token_seconds", answer.first_token_seconds},
                                       {"tokens_per_second", count > 1 && rest > 0 ? (count - 1) / rest : 0.0}};
  fmt::print("{}\n", json.dump());
}

int generate(const Options& o) {
  if (o.prompt.empty()) throw tl::Error("the prompt is empty");
  const tl::Model model = tl::load_model(o.folder);
  tl::Session session(model, {.threads = o.threads});
  // All of the prompt, or an error: what is left out would be missing without a word.
  const tl::Request request{
      .prompt = o.raw ? model.tokenizer.encode(o.prompt)
                      : tl::chat_prompt(model.tokenizer, {o.system, {{o.prompt, ""}}}, model.config.context - 1),
      .options = o.answer};
  const tl::cli::InterruptGuard guard;
  const tl::Answer answer = std::move(tl::generate(session, {&request, 1}, [&](size_t, std::string_view text) {
    if (!o.json) {
      fmt::print("{}", text);
      std::fflush(stdout);
    }
    return tl::cli::interrupts == 0;
  })[0]);
  if (o.json) {
    print_json(answer, o);
  } else if (!answer.text.ends_with('\n')) {
    fmt::print("\n");
  }
  return answer.ended == tl::Ended::cancelled ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return generate(parse(argc, argv)); });
}
