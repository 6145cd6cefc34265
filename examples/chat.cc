// Talks to a model folder: on a terminal with editing, history and commands, or on a pipe, where each line is a
// message.
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/runtime/chat.h>
#include <tinyllm/tensor/base/file.h>

#include "common/answer_options.h"
#include "common/interrupt.h"
#include "common/line_editor.h"
#include "common/parse.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <random>

namespace tl = tinyllm;

namespace {

constexpr const char* kHelp =
    R"(A message ends with Enter. For one of several lines, end a line in \, or begin and end with """;
on a terminal, Alt-Enter begins a new line too. Ctrl-C stops an answer, Ctrl-D ends the program.
  /retry          answers the last message once more
  /reset          forgets the conversation
  /system [text]  says or sets what the model is told first; forgets the conversation
  /temp <number>  0: always the likeliest token; higher: more variety
  /stats          the last answer in numbers
  /save <file>    writes the conversation, as JSON
  /load <file>    goes on with one that was saved
  /help, /quit    begin a message with // where it is to begin with /
)";

struct Options {
  std::string folder;
  std::string system = "你是严谨的中文推理助手";
  std::string history;
  tl::AnswerOptions answer;
  tl::Overflow overflow = tl::Overflow::drop_oldest_turns;
  int threads = tl::hardware_threads();
};

std::string default_history() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.tinyllm_history";
}

Options parse(int argc, char** argv) {
  Options o;
  o.answer.sampling.seed = std::random_device()();
  o.history = default_history();
  CLI::App app(std::string("Talks to a model, on a terminal or a pipe.\n\n") + kHelp);
  app.add_option("model", o.folder, "The model folder")->required();
  app.add_option("--system", o.system, "What the model is told first")->capture_default_str();
  tl::cli::add_answer_options(app, o.answer);
  app.add_option("--seed", o.answer.sampling.seed,
                 "Of the first answer; each further one has the next. Default: by chance");
  tl::cli::add_choice(app, "--overflow", o.overflow,
                      {{"stop", tl::Overflow::stop}, {"drop", tl::Overflow::drop_oldest_turns}},
                      "When the context is full: stop, or drop the oldest turns");
  app.add_option("--history", o.history, "The file of what was typed; empty: none")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  tl::cli::parse(app, argc, argv);
  return o;
}

// ---- A conversation in a file: {"messages": [{"role", "content"}, ...]}, as samples for training may have it
// ---------

void save(const tl::Conversation& conversation, const std::string& path) {
  nlohmann::ordered_json messages = {{{"role", "system"}, {"content", conversation.system}}};
  for (const tl::Turn& turn : conversation.turns) {
    messages.push_back({{"role", "user"}, {"content", turn.user}});
    messages.push_back({{"role", "assistant"}, {"content", turn.assistant}});
  }
  tl::write_file(path, nlohmann::ordered_json{{"messages", messages}}.dump() + "\n");
}

tl::Conversation load(const std::string& path) {
  const auto json = nlohmann::json::parse(tl::read_file(path), nullptr, false);
  if (!json.is_object() || !json.contains("messages") || !json["messages"].is_array()) {
    throw tl::Error("{}: is no conversation, expected {{\"messages\": [...]}}", path);
  }
  tl::Conversation conversation;
  std::string expected = "system";
  for (const auto& message : json["messages"]) {
    const bool is_text = message.is_object() && message.contains("role") && message["role"].is_string() &&
                         message.contains("content") && message["content"].is_string();
    if (!is_text || message["role"] != expected) {
      throw tl::Error("{}: message {} is {}, expected one of role {} with content", path, conversation.turns.size() * 2,
                      message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 80), expected);
    }
    const std::string text = message["content"];
    if (expected == "system") conversation.system = text;
    if (expected == "user") conversation.turns.push_back({text, ""});
    if (expected == "assistant") conversation.turns.back().assistant = text;
    expected = expected == "user" ? "assistant" : "user";
  }
  if (expected != "user") throw tl::Error("{}: ends where a message of role {} is expected", path, expected);
  return conversation;
}

// ---- The program
// -----------------------------------------------------------------------------------------------------

class Program {
 public:
  explicit Program(const Options& o)
      : answer_(o.answer),
        overflow_(o.overflow),
        model_(tl::load_model(o.folder)),
        session_(model_, {.threads = o.threads}),
        chat_(session_, {o.system, {}}, o.overflow),
        editor_(o.history) {
    tl::check(answer_.sampling, model_.config.vocab_size);
  }

  int run() {
    if (editor_.is_terminal()) fmt::print(stderr, "{}; /help says what else there is\n", tl::cpu_features());
    bool failed = false;
    while (const std::optional<std::string> message = read_message()) {
      if (message->empty()) continue;
      try {
        if (!obey(*message)) break;
      } catch (const std::exception& error) {  // Say so and go on.
        fmt::print(stderr, "chat: {}\n", error.what());
        failed = true;
      }
    }
    return failed && !editor_.is_terminal() ? 1 : 0;
  }

 private:
  // Of one line or several; none at the end of the input.
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

  // Does what a message says. Returns false when the program is to end.
  bool obey(const std::string& message) {
    if (!message.starts_with('/')) return answer(message), true;
    if (message.starts_with("//")) return answer(message.substr(1)), true;
    const size_t blank = std::min(message.find(' '), message.size());
    const std::string command = message.substr(0, blank);
    const std::string argument = blank < message.size() ? message.substr(blank + 1) : "";
    if (command == "/quit" || command == "/exit") return false;
    if (command == "/help") {
      fmt::print("{}", kHelp);
    } else if (command == "/retry") {
      answer(std::nullopt);
    } else if (command == "/reset") {
      begin({chat_.conversation().system, {}});
    } else if (command == "/system") {
      if (argument.empty()) fmt::print("{}\n", chat_.conversation().system);
      if (!argument.empty()) begin({argument, {}});
    } else if (command == "/temp") {
      set_temperature(argument);
    } else if (command == "/stats") {
      stats();
    } else if (command == "/save") {
      if (argument.empty()) throw tl::Error("/save: expected the name of a file");
      save(chat_.conversation(), argument);
    } else if (command == "/load") {
      if (argument.empty()) throw tl::Error("/load: expected the name of a file");
      begin(load(argument));
      fmt::print("{} turns\n", chat_.conversation().turns.size());
    } else {
      throw tl::Error("{}: is no command; /help names them, and // begins a message with /", command);
    }
    return true;
  }

  void begin(tl::Conversation conversation) { chat_ = tl::Chat(session_, std::move(conversation), overflow_); }

  void set_temperature(const std::string& argument) {
    tl::Sampling sampling = answer_.sampling;
    char* end = nullptr;
    sampling.temperature = std::strtof(argument.c_str(), &end);
    if (argument.empty() || *end != '\0') throw tl::Error("/temp: \"{}\" is no number", argument);
    tl::check(sampling, model_.config.vocab_size);
    answer_.sampling = sampling;
  }

  // Answers a message, or the last one once more, printing as the answer comes.
  void answer(const std::optional<std::string>& message) {
    char last = '\n';
    const auto say = [&](std::string_view text) {
      if (!text.empty()) last = text.back();
      fmt::print("{}", text);
      std::fflush(stdout);
      return tl::cli::interrupts == 0;
    };
    const tl::cli::InterruptGuard guard;
    last_ = message ? chat_.say(*message, answer_, say) : chat_.retry(answer_, say);
    ++answer_.sampling.seed;
    if (last != '\n' || last_->text.empty()) fmt::print("\n");
    std::fflush(stdout);
    if (editor_.is_terminal() && isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\x1b[2m[{}]\x1b[0m\n", numbers());
  }

  std::string numbers() const {
    const auto count = static_cast<double>(last_->tokens.size());
    const double rest = last_->seconds - last_->first_token_seconds;
    return fmt::format("{} tokens, {:.1f} tokens/s, first after {:.3f} s{}", count,
                       count > 1 && rest > 0 ? (count - 1) / rest : 0.0, last_->first_token_seconds,
                       last_->ended == tl::Ended::end_token ? "" : fmt::format(", {}", name_of(last_->ended)));
  }

  void stats() const {
    if (!last_) throw tl::Error("/stats: nothing was answered yet");
    fmt::print("answer   {}\nprompt   {} tokens of a context of {}, {} of them read for this answer\n", numbers(),
               last_->prompt_tokens, model_.config.context, last_->read_tokens);
    fmt::print("sampling temperature {}, next seed {}\nmodel    {:.2f} M parameters, {}\n",
               answer_.sampling.temperature, answer_.sampling.seed,
               static_cast<double>(tl::parameter_count(model_.config)) / 1e6, tl::cpu_features());
  }

  tl::AnswerOptions answer_;
  tl::Overflow overflow_;
  tl::Model model_;
  tl::Session session_;
  tl::Chat chat_;
  tl::cli::LineEditor editor_;
  std::optional<tl::Answer> last_;
};

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return Program(parse(argc, argv)).run(); });
}
