#pragma once

#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/runtime/constraint/answer_form.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A function that an answer may call.
struct Tool {
  std::string name;        ///< Letters, digits, "_" and "-", at most 64.
  std::string parameters;  ///< JSON schema of an object.
  bool is_strict = true;   ///< Whether all of the schema must be kept to, see AnswerForm::Choice.
};

/// How a model writes a call of a function f, each call on lines of its own:
/// plain:  {"name": "f", "arguments": {...}}
/// tagged: the same, between lines <tool_call> and </tool_call>.
/// Source of the second: Hermes Function Calling (NousResearch), which Qwen's templates follow.
enum class CallStyle : uint8_t { plain, tagged };

/// `tagged` when this is how the template writes the calls of earlier answers.
CallStyle call_style_of(const ChatTemplate& chat_template);

/// What begins a call in style `tagged`.
inline constexpr std::string_view kCallOpening = "<tool_call>";

/// The form of an answer that is a call of one of the tools, or with `several` one or more calls, after a free part or
/// none. Throws Error on names that are not allowed or not distinct.
AnswerForm call_form(std::span<const Tool> tools, CallStyle style, bool several,
                     std::vector<AnswerForm::FreePart> free = {});
/// The same after any text, or any text without a call. Only `tagged`: a plain call could not be told from a text.
AnswerForm optional_call_form(std::span<const Tool> tools, bool several);

struct ToolCall {
  std::string name;       ///< Of the function.
  std::string arguments;  ///< An object in JSON.
};

/// Takes an answer in one of these forms apart while it arrives. What is given out never depends on how the answer was
/// cut into pieces.
class ToolAnswer {
 public:
  explicit ToolAnswer(CallStyle style) : style_(style) {}

  struct Part {
    std::string content;  ///< Text before the first call, without the line feeds that precede the call.
    std::vector<ToolCall> calls;
  };
  /// What is new. `is_last`: nothing follows, so nothing is held back; a call that was cut is content.
  Part add(std::string_view text, bool is_last);

 private:
  // Follows an object in JSON to its end, whatever its texts hold.
  struct Object {
    int depth = 0;
    bool in_text = false, is_escaped = false, has_ended = false;
    void add(char c);
  };
  size_t begin_of_call() const;
  bool take_call(Part& part);

  CallStyle style_;
  std::string held_;    // What was not given out.
  size_t begin_ = 0;    // Of the object of a call in it.
  size_t scanned_ = 0;  // Of it; 0: no call has begun.
  Object object_;       // Of the call.
};

}  // namespace tinyllm
