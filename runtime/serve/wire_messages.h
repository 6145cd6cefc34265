// Conversations in requests. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/model/text/message.h>
#include <tinyllm/tensor/base/json.h>

#include <string_view>

namespace tinyllm {

/// The most messages of a conversation.
inline constexpr size_t kMaxMessages = 1024;

/// A list of messages in OpenAI's form; `field` is its name. All of the system (and developer) are joined at the front,
/// in order, by empty lines. Throws ApiError that names the message, as `messages[2].content`.
Messages wire_messages(const Json& list, std::string_view field, bool continues = false);

/// Joins the system's messages at the front, and checks that calls of tools and their results belong together. There is
/// at least one message. With `continues`, the last must be the assistant's, to go on with.
Messages in_order(Messages messages, std::string_view field, bool continues = false);

/// The text of a content: a string, or a list of parts with a text, or a refusal, whose types `text_types` lists.
/// Throws ApiError that names `param`.
std::string wire_text(const Json& content, std::string_view param, std::initializer_list<std::string_view> text_types);

}  // namespace tinyllm
