#pragma once

#include <tinyllm/model/text/chat_template.h>

namespace tinyllm {

/// A prompt for the last turn of a conversation.
struct ChatPrompt {
  std::vector<int32_t> tokens;
  size_t dropped_turns = 0;  ///< The oldest turns, for which there was no room.
};

/// The messages up to where the assistant begins to answer, with as many of the newest turns as fit into `max_tokens`.
/// A turn begins with a user message. Leading system messages and the last turn are always kept, also where they are
/// longer. Takes time linear in what is kept. Where a template renders a turn in another way than alone, fewer turns
/// may be kept than would fit, never more. Throws Error when the last message is not one to answer.
ChatPrompt fit_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Messages& messages,
                           int64_t max_tokens);

/// The tokens of `fit_chat_prompt`. Throws Error also when the last turn alone does not fit.
std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                 const Messages& messages, int64_t max_tokens);

}  // namespace tinyllm
