// Lists of messages in JSON. For sample_forms.cc alone: needs nlohmann/json.
#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

enum class Role : uint8_t { system, user, assistant };
struct Message {
  Role role;
  std::string words;
};
/// A message as {role, content} or {from, value}; only a system's may be empty. `where` names it in errors.
Message message_of(const Json& value, std::string_view where);

/// Messages as a conversation: first a system's where there is one, then a user's and an assistant's by turns.
enum class Ends : uint8_t { answered, asked };
Conversation conversation_of(const Json& list, std::string_view field, Ends ends);

}  // namespace tinyllm
