#pragma once

#include <tinyllm/tensor/base/names.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

enum class Role : uint8_t { system, user, assistant, tool };
constexpr auto names(Role) { return std::array{"system", "user", "assistant", "tool"}; }

/// One message of a conversation. Which roles may follow which, and which of the optional fields are used, is up to the
/// chat template.
struct Message {
  Role role;
  std::string content;
  bool learned = true;  ///< Whether a model learns this answer. Other roles ignore it.

  std::string name = {};               ///< The name of the speaker or the tool.
  std::string reasoning_content = {};  ///< The reasoning of the assistant before its answer.
  std::string tool_calls = {};         ///< The calls of the assistant, a JSON list.
  std::string tool_call_id = {};       ///< In a tool's message: the call that it answers.
};
using Messages = std::vector<Message>;

/// The number of user messages: each begins a turn.
size_t count_of_turns(const Messages& messages);

/// Throws Error unless the messages are in the usual order: at most one system message, which is the first; then user
/// and assistant alternate. Between two assistant messages there may be tool messages instead. The error begins with
/// `where` and names the message, counted from 1: "where: message 2: is the user's, expected the assistant's".
void check_order(const Messages& messages, std::string_view where);

}  // namespace tinyllm
