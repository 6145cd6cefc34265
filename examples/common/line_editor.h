#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tinyllm::cli {

/// Lines that a person types on a terminal, with editing (characters of any width) and a history; else those of the
/// input stream.
class LineEditor {
 public:
  /// `history` is read, and written when the editor goes; empty: none is kept.
  explicit LineEditor(std::filesystem::path history);
  ~LineEditor();

  bool is_terminal() const;

  struct Line {
    std::string text;
    bool cancelled = false;  ///< By Ctrl-C.
  };
  /// The next line, without its line feed; it may hold some (Alt-Enter). None at the end of the input.
  std::optional<Line> read(const std::string& prompt);
  void remember(const std::string& text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm::cli
