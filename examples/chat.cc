// Talks to a model folder: one line, one answer. The conversation is remembered as far as the context reaches.
#include <tinyllm/model/prompt.h>
#include <tinyllm/runtime/generator.h>

#include "interrupt.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <iostream>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string folder;
  std::string system = "你是严谨的中文推理助手";
  int64_t max_tokens = 256;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Talks to a model. Every line is a message; an empty line, Ctrl-D or Ctrl-C ends. Ctrl-C in an answer stops the "
      "answer.");
  app.set_version_flag("--version", TINYLLM_VERSION);
  app.add_option("model", o.folder, "The model folder")->required();
  app.add_option("--system", o.system, "What the model is told first")->capture_default_str();
  app.add_option("--max-tokens", o.max_tokens, "Longest answer")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return o;
}

// Answers the last turn, printing as it goes, and keeps the answer in it.
void answer(tl::Generator& generator, const tl::Model& model, tl::Conversation& conversation, int64_t max_tokens) {
  const std::vector<int32_t> prompt =
      tl::chat_prompt(model.tokenizer, conversation, std::max<int64_t>(1, model.config.context - max_tokens));
  tl::TextStream stream(model.tokenizer);
  std::string text;
  const auto say = [&](const std::string& part) {
    text += part;
    fmt::print("{}", part);
    std::fflush(stdout);
  };
  const tl::InterruptGuard guard;
  generator.generate({prompt}, max_tokens, [&](int64_t, int32_t token) {
    say(stream.add(token));
    return tl::interrupts == 0;
  });
  say(stream.finish());
  if (!text.ends_with('\n')) fmt::print("\n");
  conversation.turns.back().assistant = text;
}

int chat(const Options& o) {
  const tl::Model model = tl::load_model(o.folder);
  const int64_t max_tokens = std::min(o.max_tokens, model.config.context / 2);
  tl::Generator generator(model, {.rows = 1, .threads = o.threads});
  tl::Conversation conversation{o.system, {}};
  const bool is_terminal = isatty(STDIN_FILENO) != 0;
  std::string line;
  for (;;) {
    if (is_terminal) fmt::print(stderr, "> ");
    if (!std::getline(std::cin, line) || line.empty()) return 0;
    conversation.turns.push_back({line, ""});
    try {
      answer(generator, model, conversation, max_tokens);
    } catch (const tl::Error& error) {
      conversation.turns.pop_back();  // A message that is too long, or no UTF-8: say so and go on.
      fmt::print(stderr, "chat: {}\n", error.what());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    return chat(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "chat: {}\n", error.what());
    return 1;
  }
}
