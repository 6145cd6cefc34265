#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tinyllm::cli {

/// Reads lines. On a terminal it offers editing, bracketed paste and a history; otherwise it reads the input stream.
class LineEditor {
 public:
  /// `history` is a file that is read now, and written by the destructor with access for its owner only. Empty: none.
  explicit LineEditor(std::filesystem::path history);
  ~LineEditor();

  bool is_terminal() const;

  struct Line {
    std::string text;
    bool cancelled = false;  ///< By Ctrl-C.
  };
  /// The next line without its end, LF or CR LF. A line may contain line feeds (Alt-Enter, or a pasted text). None at
  /// the end of the input.
  std::optional<Line> read(const std::string& prompt);
  void remember(const std::string& text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm::cli
