#pragma once

#include <tinyllm/model/text/chat_template.h>

namespace tinyllm {

/// A prompt for the last turn of a conversation.
struct ChatPrompt {
  std::vector<int32_t> tokens;
  size_t dropped_turns = 0;  ///< How many of the oldest turns did not fit.
};

/// Renders the messages up to where the assistant begins to answer. It keeps as many of the newest turns as fit into
/// `max_tokens`; a turn begins with a user message. Leading system messages and the last turn are always kept, even if
/// they do not fit. Time is linear in what is kept. If a template renders a turn differently inside a conversation than
/// alone, fewer turns may be kept than would fit, but never more. Throws Error unless the last message is a user's or a
/// tool's.
ChatPrompt fit_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Messages& messages,
                           int64_t max_tokens);

/// The tokens of `fit_chat_prompt`. Also throws Error when the last turn alone does not fit.
std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                 const Messages& messages, int64_t max_tokens);

}  // namespace tinyllm
