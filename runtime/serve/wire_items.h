// Conversations in the forms of /v1/responses and /v1/messages. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/wire_messages.h>

namespace tinyllm {

/// The input of /v1/responses: a text of the user, or a list of messages, chains of thought, calls of functions and
/// their outputs. `param` names it in errors. Throws ApiError.
Messages response_items(const Json& input, std::string_view param);

/// The messages of /v1/messages: their content is a text or a list of blocks of type text, thinking, tool_use or
/// tool_result. Results of tools become messages before the text that follows them. Throws ApiError.
Messages block_messages(const Json& list, std::string_view param);

}  // namespace tinyllm
