// Lists of messages in JSON. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

enum class Role : uint8_t { system, user, assistant };
struct Message {
  Role role;
  std::string words;
  bool learned = true;  ///< Otherwise it has "weight": 0, as in OpenAI's format for fine-tuning.
};
/// A message as {role, content} or {from, value}; only the system's may be empty. The role "developer" means system.
/// `where` names the message in errors.
Message message_of(const Json& value, std::string_view where);

/// Messages as a conversation: the system's first when there is one, then the user's and the assistant's alternating.
enum class Ends : uint8_t { answered, asked };
Conversation conversation_of(const Json& list, std::string_view field, Ends ends);

}  // namespace tinyllm
