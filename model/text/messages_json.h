// Messages in JSON: the one reader of samples, saved chats and requests. Only for sources that may include
// nlohmann/json.
#pragma once

#include <tinyllm/model/text/message.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

/// Reads {role, content} or {from, value}. The content is a string, or a list of parts of type text, which are joined.
/// It may be empty; the assistant's may be missing. Roles are system (developer), user (human), assistant (gpt) and
/// tool. Optional fields are name, reasoning_content (reasoning), tool_calls, tool_call_id and weight. A weight of 0
/// means that the answer is not learned, as in OpenAI's format for fine-tuning. Other fields are ignored, and null
/// counts as missing. Throws Error that begins with `where`.
Message read_message(const Json& value, std::string_view where);

/// Reads a list of at least one message, in any order. Errors begin with `where` and name the message, counted from 1:
/// "where: message 2: ...".
Messages read_messages(const Json& list, std::string_view where);

}  // namespace tinyllm
