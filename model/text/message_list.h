// Lists of messages, and fields of JSON objects with errors that name them. Only for sources that may include
// nlohmann/json.
#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/tensor/base/error.h>

#include <nlohmann/json.hpp>

namespace tinyllm {

using Json = nlohmann::json;

/// "a list", for messages.
std::string_view type_of(const Json& value);
/// In quotes, control characters escaped, cut when it is long.
std::string shortened(std::string_view text);
bool is_blank(std::string_view text);

/// Null when it is missing or null.
const Json* find_field(const Json& object, const char* field);
const Json& need_field(const Json& object, const char* field);
/// Throws Error when the field is missing, not a string, or blank.
std::string text(const Json& object, const char* field);
/// Empty when the field is missing. Throws Error when it is not a string.
std::string text_or_none(const Json& object, const char* field);

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
