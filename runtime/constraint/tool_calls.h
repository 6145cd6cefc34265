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
};

/// How a model writes a call of a function f:
/// plain:  {"name": "f", "arguments": {...}}
/// tagged: the same, on a line of its own between <tool_call> and </tool_call>.
/// Source of the second: Hermes Function Calling (NousResearch), which Qwen's templates follow.
enum class CallStyle : uint8_t { plain, tagged };

/// `tagged` when this is how the template writes the calls of earlier answers.
CallStyle call_style_of(const ChatTemplate& chat_template);

/// The form of an answer that is a call of one of the tools, after a free part or none.
/// Throws Error on names that are not allowed or not distinct.
AnswerForm call_form(std::span<const Tool> tools, CallStyle style, std::vector<AnswerForm::FreePart> free = {});
/// The same, or any text without a call. Only `tagged`: a plain call could not be told from a text.
AnswerForm optional_call_form(std::span<const Tool> tools);

/// An answer taken apart.
struct ToolAnswer {
  std::string content;         ///< The text before the call.
  std::string name = {};       ///< Of the function; empty: nothing is called.
  std::string arguments = {};  ///< An object in JSON.
};
/// Of an answer in one of these forms. One that was cut within its call is all content.
ToolAnswer parse_tool_answer(std::string_view answer, CallStyle style);

}  // namespace tinyllm
