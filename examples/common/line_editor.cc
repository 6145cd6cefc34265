#include "line_editor.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#ifdef TINYLLM_LIBEDIT
#include <histedit.h>
#include <langinfo.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#endif

namespace tinyllm::cli {

#ifdef TINYLLM_LIBEDIT

struct LineEditor::State {
  std::filesystem::path path;
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::string prompt;
  bool cancelled = false;
  bool has_paste = false;  // The terminal knows bracketed paste.

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
    // While a line is edited, Ctrl-C is a key that cancels it.
    el_set(edit, EL_SETTY, "-d", "-intr", nullptr);
    el_set(
        edit, EL_ADDFN, "cancel", "Cancels the line", +[](EditLine* line, int) -> unsigned char {
          of(line).cancelled = true;
          return CC_EOF;
        });
    el_set(edit, EL_BIND, "^C", "cancel", nullptr);
    el_set(
        edit, EL_ADDFN, "line-feed", "Begins a new line",
        +[](EditLine* line, int) -> unsigned char { return el_insertstr(line, "\n") == 0 ? CC_REFRESH : CC_ERROR; });
    el_set(edit, EL_BIND, "\\e^M", "line-feed", nullptr);
    el_set(edit, EL_BIND, "\\e^J", "line-feed", nullptr);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(edit, EL_ADDFN, "paste", "Inserts what is pasted", paste);
    el_set(edit, EL_BIND, "\\e[200~", "paste", nullptr);
    const char* terminal = std::getenv("TERM");
    has_paste = terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
  }
  ~State() {
    if (!path.empty()) {
      // Written atomically, because two chats may end at once. libedit makes the file private to its owner.
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

  // A terminal in bracketed paste mode sends what is pasted between ESC [200~ and ESC [201~, so that its line feeds do
  // not end the line.
  static unsigned char paste(EditLine* line, int) {
    constexpr std::wstring_view kEnd = L"\x1b[201~";
    std::wstring text;
    for (wchar_t c = 0; !text.ends_with(kEnd);) {
      if (el_wgetc(line, &c) != 1) return CC_EOF;
      if (c == L'\n' && text.ends_with(L'\r')) text.pop_back();
      if (c != L'\0') text += c;
    }
    text.resize(text.size() - kEnd.size());
    std::replace(text.begin(), text.end(), L'\r', L'\n');
    if (text.empty()) return CC_NORM;
    return el_winsertstr(line, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }
  void set_paste_mode(bool is_on) const {
    if (!has_paste) return;
    std::fputs(is_on ? "\x1b[?2004h" : "\x1b[?2004l", stdout);
    std::fflush(stdout);
  }

  static State& of(EditLine* line) {
    void* state = nullptr;
    el_get(line, EL_CLIENTDATA, &state);
    return *static_cast<State*>(state);
  }

  std::optional<Line> read() {
    cancelled = false;
    int count = 0;
    set_paste_mode(true);
    const char* text = el_gets(edit, &count);
    set_paste_mode(false);
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
    if (line.ends_with('\r')) line.pop_back();
    return Line{std::move(line)};
  }
  state_->prompt = prompt;
  return state_->read();
}

void LineEditor::remember(const std::string& text) {
  if (is_terminal()) state_->remember(text);
}

}  // namespace tinyllm::cli
