// Talks to a model folder: on a terminal with editing, history and commands, or on a pipe, where each line is a
// message.
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/runtime/chat.h>
#include <tinyllm/tensor/base/file.h>

#include "common/answer_options.h"
#include "common/conversation_file.h"
#include "common/interrupt.h"
#include "common/line_editor.h"
#include "common/output.h"
#include "common/parse.h"

#include <unistd.h>

#include <random>

namespace tl = tinyllm;

namespace {

struct Options : tl::cli::AskOptions {
  std::string history;
  tl::Overflow overflow = tl::Overflow::drop_oldest_turns;
};

// The name of the model folder without its path: "tinyllm-model".
std::string folder_name(const std::string& folder) {
  const std::filesystem::path path = tl::absolute_path(folder);
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

class Program {
 public:
  explicit Program(Options o)
      : name_(folder_name(o.model)),
        overflow_(o.overflow),
        pool_(o.threads),
        model_(tl::cli::load(o.model, o.load, pool_)),
        session_(model_, {.cache_type = o.cache_type, .pool = pool_}),
        chat_(session_, with_system(o.system), o.overflow),
        editor_(o.history) {
    tl::cli::take_sampling_defaults(model_.sampling, o);
    answer_ = o.answer;
    tl::check(answer_.sampling, model_.config.vocab_size);
  }

  static std::string help();

  int run() {
    if (editor_.is_terminal()) {
      fmt::print(stderr, "{}, context of {} tokens. /help shows the commands.\n", description(), session_.context());
    }
    bool failed = false;
    while (const std::optional<std::string> message = read_message()) {
      if (message->empty()) continue;
      try {
        if (!obey(*message)) break;
      } catch (const std::exception& error) {  // Report it and go on, unless no answer can be shown any more.
        if (std::ferror(stdout) != 0) throw;
        fmt::print(stderr, "chat: {}\n", error.what());
        failed = true;
      }
    }
    return failed && !editor_.is_terminal() ? 1 : 0;
  }

 private:
  struct Command {
    std::vector<std::string> names;
    std::string_view argument;
    std::string_view help;
    void (Program::*run)(const std::string& argument);
  };
  static const std::vector<Command>& commands();

  // A message of one or several lines, or none at the end of the input.
  std::optional<std::string> read_message() {
    std::string message;
    bool in_block = false;
    for (bool first = true;; first = false) {
      std::optional<tl::cli::LineEditor::Line> line = editor_.read(first ? "> " : ". ");
      if (!line) {
        if (editor_.is_terminal()) fmt::print("\n");
        return first ? std::nullopt : std::optional(message);
      }
      if (line->cancelled) {
        fmt::print("\n");
        return "";
      }
      std::string text = line->text;
      if (!first) message += '\n';
      if (!in_block && first && text.starts_with("\"\"\"")) {
        in_block = true;
        text.erase(0, 3);
      }
      const bool ends = in_block ? text.ends_with("\"\"\"") : !text.ends_with('\\');
      if (in_block && ends) text.resize(text.size() - 3);
      if (!in_block && !ends) text.pop_back();
      message += text;
      if (ends) break;
    }
    if (!message.empty()) editor_.remember(message);
    return message;
  }

  // Answers a message or runs a command. Returns false if the program should end.
  bool obey(const std::string& message) {
    if (!message.starts_with('/') || message.starts_with("//")) {
      answer(message.substr(message.starts_with("//") ? 1 : 0));
      return true;
    }
    const size_t blank = std::min(message.find(' '), message.size());
    const std::string name = message.substr(0, blank);
    std::vector<std::string> names;
    for (const Command& command : commands()) {
      if (std::find(command.names.begin(), command.names.end(), name) != command.names.end()) {
        (this->*command.run)(blank < message.size() ? message.substr(blank + 1) : "");
        return !should_end_;
      }
      names.insert(names.end(), command.names.begin(), command.names.end());
    }
    const std::string meant = tl::cli::suggestion(name, names);
    throw tl::Error("{}: unknown command{}", name,
                    meant.empty() ? "; /help lists the commands, and // begins a message with /" : meant);
  }

  static tl::Messages with_system(const std::string& prompt) { return {{tl::Role::system, prompt}}; }
  // The system prompt, or nothing.
  std::string system_prompt() const {
    const tl::Messages& messages = chat_.conversation();
    return !messages.empty() && messages[0].role == tl::Role::system ? messages[0].content : "";
  }

  void begin(tl::Messages conversation) {
    chat_ = tl::Chat(session_, std::move(conversation), overflow_);
    was_full_ = false;
  }

  void end(const std::string&) { should_end_ = true; }
  void print_help(const std::string&) { fmt::print("{}", help()); }
  void retry(const std::string&) { answer(std::nullopt); }
  void reset(const std::string&) { begin(with_system(system_prompt())); }
  void undo(const std::string&) {
    chat_.undo();
    fmt::print("{}\n", turns());
  }
  void system(const std::string& text) {
    if (text.empty()) tl::cli::print_text(system_prompt() + "\n");
    if (!text.empty()) begin(with_system(text));
  }
  void set_temperature(const std::string& number) {
    const std::string problem = tl::cli::read_number(number, tl::at_least(0), answer_.sampling.temperature);
    if (!problem.empty()) throw tl::Error("/temp: {}", problem);
  }

  void load(const std::string& file) {
    if (file.empty()) throw tl::Error("/load: expected the name of a file");
    begin(tl::cli::load_conversation(file));
    fmt::print("{}\n", turns());
  }
  void save(const std::string& file) { save(file, "/save", false); }
  void replace(const std::string& file) { save(file, "/save!", true); }
  void save(const std::string& file, const char* command, bool may_replace) {
    if (file.empty()) throw tl::Error("{}: expected the name of a file", command);
    if (tl::is_there(file)) {
      if (!tl::cli::is_conversation(file)) {
        throw tl::Error("{}: {} exists and is not a saved conversation; choose another name", command, file);
      }
      if (!may_replace && !confirm(fmt::format("Replace the conversation in {}? [y/N] ", file))) {
        throw tl::Error("/save: {} exists; /save! replaces it", file);
      }
    }
    const size_t bytes = tl::cli::save_conversation(chat_.conversation(), file);
    fmt::print("saved {}: {}, {} bytes\n", tl::absolute_path(file).string(), turns(), bytes);
  }
  bool confirm(const std::string& question) {
    if (!editor_.is_terminal()) return false;
    const std::optional<tl::cli::LineEditor::Line> line = editor_.read(question);
    return line && !line->cancelled && (line->text == "y" || line->text == "yes");
  }

  // Answers a message, or the last one again, and prints the answer as it is generated.
  void answer(const std::optional<std::string>& message) {
    char last = '\n';
    const auto say = [&](std::string_view text) {
      if (!text.empty()) last = text.back();
      tl::cli::print_text(text);
      return tl::cli::interrupts == 0;
    };
    if (message) check_room(*message);
    const tl::cli::InterruptGuard guard;
    last_ = message ? chat_.say(*message, answer_, say) : chat_.retry(answer_, say);
    ++answer_.sampling.seed;
    if (last != '\n' || last_->text.empty()) fmt::print("\n");
    if (editor_.is_terminal() && isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\x1b[2m[{}]\x1b[0m\n", numbers());
    report_overflow();
  }

  void check_room(const std::string& message) const {
    if (overflow_ != tl::Overflow::stop || tl::count_of_turns(chat_.conversation()) == 0) return;
    if (tokens() + model_.tokenizer->encode(message).size() >= static_cast<size_t>(session_.context())) {
      throw tl::Error("the context of {} tokens has no room for this message; /reset begins a new conversation",
                      session_.context());
    }
  }

  // Once in a conversation.
  void report_overflow() {
    const bool is_full = chat_.dropped_turns() > 0 || last_->finish_reason == tl::FinishReason::context_full;
    if (is_full && !was_full_) {
      fmt::print(stderr, "chat: the context of {} tokens is full{}; /reset begins a new conversation\n",
                 session_.context(), chat_.dropped_turns() > 0 ? ", and the oldest turns are no longer read" : "");
    }
    was_full_ = is_full;
  }

  std::string turns() const {
    return tl::counted(static_cast<int64_t>(tl::count_of_turns(chat_.conversation())), "turn");
  }

  std::string description() const {
    const tl::WeightTypes& types = model_.config.types;
    const std::string tables =
        types.tables == types.matrices ? "" : fmt::format(", embeddings {}", types.tables.name());
    return fmt::format("{}: {:.2f} M parameters, weights {}{}", name_,
                       static_cast<double>(tl::parameter_count(model_.config)) / 1e6, types.matrices.name(), tables);
  }

  std::string numbers() const {
    const auto count = static_cast<double>(last_->tokens.size());
    const double rest = last_->seconds - last_->first_token_seconds;
    return fmt::format(
        "{} tokens, {:.1f} tokens/s, first after {:.3f} s{}", count, count > 1 && rest > 0 ? (count - 1) / rest : 0.0,
        last_->first_token_seconds,
        last_->finish_reason == tl::FinishReason::end_token ? "" : fmt::format(", {}", name_of(last_->finish_reason)));
  }

  // Of the conversation, once it has begun.
  size_t tokens() const {
    if (tl::count_of_turns(chat_.conversation()) == 0) return 0;
    return tl::tokenize(*model_.tokenizer, model_.chat_template->render(chat_.conversation(), {})).tokens.size();
  }

  void print_tokens(const std::string&) {
    fmt::print("{}, {} tokens of a context of {}\n", turns(), tokens(), session_.context());
  }

  void print_stats(const std::string&) {
    if (!last_) throw tl::Error("/stats: there is no answer yet");
    fmt::print("answer   {}\nprompt   {} tokens of a context of {}, {} of them cached\n", numbers(),
               last_->prompt_tokens, session_.context(), last_->cached_tokens);
    fmt::print("sampling temperature {}, next seed {}\nmodel    {}\nCPU      {}\n", answer_.sampling.temperature,
               answer_.sampling.seed, description(), tl::cpu_features());
  }

  std::string name_;
  tl::GenerateOptions answer_;
  tl::Overflow overflow_;
  tl::ThreadPool pool_;
  tl::Model model_;
  tl::Session session_;
  tl::Chat chat_;
  tl::cli::LineEditor editor_;
  std::optional<tl::Completion> last_;
  bool was_full_ = false;
  bool should_end_ = false;
};

const std::vector<Program::Command>& Program::commands() {
  static const std::vector<Command> all = {
      {{"/retry"}, "", "Answer the last message again.", &Program::retry},
      {{"/undo"}, "", "Remove the last message and its answer.", &Program::undo},
      {{"/reset", "/clear"}, "", "Forget the conversation.", &Program::reset},
      {{"/system"}, "[TEXT]", "Show the system prompt, or set it and forget the conversation.", &Program::system},
      {{"/temp"}, "NUMBER", "Set the sampling temperature.", &Program::set_temperature},
      {{"/tokens"}, "", "Show how many tokens the conversation has.", &Program::print_tokens},
      {{"/stats"}, "", "Show the last answer in numbers.", &Program::print_stats},
      {{"/save"}, "FILE", "Save the conversation as JSON; ask before replacing one.", &Program::save},
      {{"/save!"}, "FILE", "Save the conversation, replacing one without asking.", &Program::replace},
      {{"/load"}, "FILE", "Continue a saved conversation.", &Program::load},
      {{"/help", "/?"}, "", "Show this help.", &Program::print_help},
      {{"/quit", "/exit", "/bye"}, "", "End the program, as Ctrl-D does.", &Program::end},
  };
  return all;
}

std::string Program::help() {
  std::string text =
      "A message ends with Enter. To write several lines, end a line with \\, or begin and end the\n"
      "message with \"\"\". On a terminal, Alt-Enter begins a new line, and a pasted text is one message.\n"
      "Ctrl-C stops an answer. To begin a message with /, write //. Commands:\n";
  for (const Command& command : commands()) {
    const std::string usage = fmt::format("{} {}", fmt::join(command.names, ", "), command.argument);
    text += fmt::format("  {:<20}{}\n", usage, command.help);
  }
  return text;
}

std::string default_history() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.tinyllm_history";
}

Options parse(int argc, char** argv) {
  Options o;
  o.answer.sampling.seed = std::random_device()();
  o.history = default_history();
  CLI::App app("Talks to a model, on a terminal or a pipe.\n\n" + Program::help());
  tl::cli::add_model(app, o.model, "Talk to the model in this folder or GGUF file.");
  tl::cli::add_ask_options(app, o);
  tl::cli::add_number(app, "--seed", o.answer.sampling.seed, tl::at_least(0),
                      "Sample the first answer with this seed, and each further one with the next seed.")
      ->default_str("a random one");
  tl::cli::add_choice(app, "--overflow", o.overflow,
                      "When the context is full, stop the conversation, or drop its oldest turns.");
  app.add_option("--history", o.history, "Keep what is typed on a terminal in this file; \"\" keeps nothing.")
      ->type_name("FILE")
      ->capture_default_str();
  tl::cli::add_examples(app, {"chat tinyllm-model", "chat -m tinyllm-model --temp 0.7 -n 100 --history \"\""},
                        "generate tinyllm-model '计算：1+2*3' --json");
  tl::cli::parse(app, argc, argv);
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return Program(parse(argc, argv)).run(); });
}
