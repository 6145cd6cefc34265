// Lists of messages, and fields of JSON objects with errors that name them. For sample_forms.cc alone: needs
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
/// Throws Error when the field is missing, no string, or blank.
std::string text(const Json& object, const char* field);
/// Empty when the field is missing. Throws Error when it is no string.
std::string text_or_none(const Json& object, const char* field);

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
