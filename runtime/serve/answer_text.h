#pragma once

#include <tinyllm/runtime/stop_strings.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Splits what a model writes into its chain of thought and its answer while it arrives: 【推理过程】 ... 【最终答案】
/// ..., or <think> ... </think> ... . Titles, and line feeds around the two parts, belong to neither. A text that does
/// not begin with a title is an answer as it is. Stop strings end the answer; in the chain of thought they mean
/// nothing. What is given out never depends on how the text was cut into pieces.
class AnswerText {
 public:
  /// `looks_for_reasoning` false: all is an answer. `begun` is what of the text the prompt already has: it is not given
  /// out again, but places in the text count from its beginning. From `stop_until` on, if the answer has it, stop
  /// strings mean nothing.
  AnswerText(std::vector<std::string> stop, bool looks_for_reasoning, std::string_view begun = {},
             std::string stop_until = {});

  /// How models write a chain of thought.
  struct Style {
    std::string_view title, end;
    bool is_default;  ///< Of the template that models are trained with here.
  };
  static std::span<const Style> styles();

  struct Piece {
    std::string reasoning;
    std::string answer;
  };
  /// Adds text and returns what is new of both parts. `is_last`: nothing follows, so nothing is held back.
  Piece add(std::string_view text, bool is_last);

  /// The stop string that ended the answer; null: none yet.
  const std::string* stopped_by() const { return stop_.found(); }

  /// What of the whole text, in bytes, belongs to each part so far. The rest up to `decided` belongs to neither.
  struct Span {
    size_t begin = 0;
    size_t end = 0;
    bool contains(size_t at) const { return at >= begin && at < end; }
  };
  const Span& reasoning() const { return reasoning_; }
  const Span& answer() const { return answer_; }
  /// All before this is known to belong to a part or to none.
  size_t decided() const;
  bool has_reasoning() const { return style_ != nullptr; }

 private:
  enum class State : uint8_t { begin, reasoning, answer };

  void look_for_title(bool is_last);
  void add_reasoning(bool is_last, std::string& out);
  void add_answer(bool is_last, std::string& out);

  size_t end_of_stopping(bool is_last);

  StopStrings stop_;
  std::string stop_until_;
  bool may_stop_ = true;
  std::string text_;  // All of it.
  State state_;
  const Style* style_ = nullptr;
  Span reasoning_;
  Span answer_;
  size_t read_ = 0;     // Up to here the answer was given to stop_,
  size_t certain_ = 0;  // and up to here it is known to stand before any stop string.
};

}  // namespace tinyllm
