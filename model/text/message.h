#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

enum class Role : uint8_t { system, user, assistant, tool };
std::string_view name_of(Role role);

/// One message of a conversation. Which roles may follow which, and which of the optional fields are used, is up to the
/// chat template.
struct Message {
  Role role;
  std::string content;
  bool learned = true;  ///< Whether a sample's answer has a loss; of no meaning for other roles.

  std::string name = {};               ///< Of the speaker or the tool.
  std::string reasoning_content = {};  ///< What an assistant thought before its answer.
  std::string tool_calls = {};         ///< Of an assistant: a list in JSON.
  std::string tool_call_id = {};       ///< Of a tool's message: the call that it answers.
};
using Messages = std::vector<Message>;

}  // namespace tinyllm
