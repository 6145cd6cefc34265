#include "line_editor.h"

#include <unistd.h>

#include <iostream>

#ifdef TINYLLM_LIBEDIT
#include <histedit.h>
#include <langinfo.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#endif

namespace tinyllm::cli {

#ifdef TINYLLM_LIBEDIT

struct LineEditor::State {
  std::filesystem::path path;
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::string prompt;
  bool cancelled = false;

  explicit State(std::filesystem::path p) : path(std::move(p)) {
    // libedit asks the locale how wide characters are.
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
    edit = el_init("chat", stdin, stdout, stderr);
    history = history_init();
    HistEvent event;
    ::history(history, &event, H_SETSIZE, 1000);
    ::history(history, &event, H_SETUNIQUE, 1);
    if (!path.empty()) ::history(history, &event, H_LOAD, path.c_str());
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_HIST, ::history, history);
    el_set(
        edit, EL_PROMPT, +[](EditLine* line) { return of(line).prompt.data(); });
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_SIGNAL, 0);
    // While a line is edited, Ctrl-C is a key that gives it up.
    el_set(edit, EL_SETTY, "-d", "-intr", nullptr);
    el_set(
        edit, EL_ADDFN, "give-up", "Gives the line up", +[](EditLine* line, int) -> unsigned char {
          of(line).cancelled = true;
          return CC_EOF;
        });
    el_set(edit, EL_BIND, "^C", "give-up", nullptr);
    el_set(
        edit, EL_ADDFN, "line-feed", "Goes on in a new line",
        +[](EditLine* line, int) -> unsigned char { return el_insertstr(line, "\n") == 0 ? CC_REFRESH : CC_ERROR; });
    el_set(edit, EL_BIND, "\\e^M", "line-feed", nullptr);
    el_set(edit, EL_BIND, "\\e^J", "line-feed", nullptr);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~State() {
    if (!path.empty()) {
      // Whole, also where two chats end at once.
      const std::string part = path.string() + "." + std::to_string(getpid());
      HistEvent event;
      if (::history(history, &event, H_SAVE, part.c_str()) < 0 || std::rename(part.c_str(), path.c_str()) != 0) {
        unlink(part.c_str());
      }
    }
    el_end(edit);
    history_end(history);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static State& of(EditLine* line) {
    void* state = nullptr;
    el_get(line, EL_CLIENTDATA, &state);
    return *static_cast<State*>(state);
  }

  std::optional<Line> read() {
    cancelled = false;
    int count = 0;
    const char* text = el_gets(edit, &count);
    if (cancelled) {
      el_reset(edit);
      return Line{"", true};
    }
    if (text == nullptr || count <= 0) return std::nullopt;
    std::string line(text, static_cast<size_t>(count));
    if (line.ends_with('\n')) line.pop_back();
    return Line{std::move(line)};
  }

  void remember(const std::string& text) {
    HistEvent event;
    ::history(history, &event, H_ENTER, text.c_str());
  }
};

#else

struct LineEditor::State {
  std::string prompt;

  explicit State(const std::filesystem::path&) {}
  std::optional<Line> read() {
    std::cout << prompt << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return Line{std::move(line)};
  }
  void remember(const std::string&) {}
};

#endif

LineEditor::LineEditor(std::filesystem::path history) {
  if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) state_ = std::make_unique<State>(std::move(history));
}
LineEditor::~LineEditor() = default;

bool LineEditor::is_terminal() const { return state_ != nullptr; }

std::optional<LineEditor::Line> LineEditor::read(const std::string& prompt) {
  if (!is_terminal()) {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return Line{std::move(line)};
  }
  state_->prompt = prompt;
  return state_->read();
}

void LineEditor::remember(const std::string& text) {
  if (is_terminal()) state_->remember(text);
}

}  // namespace tinyllm::cli
