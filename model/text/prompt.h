#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <string>
#include <vector>

namespace tinyllm {

/// A message of the user and the assistant's answer to it.
struct Turn {
  std::string user;
  std::string assistant;
  bool learned = true;  ///< Otherwise the assistant's part has no loss.
};

struct Conversation {
  std::string system;
  std::vector<Turn> turns;  ///< The last answer is empty until it is given.
};

/// An answer in the reasoning style: 【推理过程】\n{cot}\n【最终答案】\n{final}\n
std::string reasoning(std::string_view cot, std::string_view final);

/// The two parts of such an answer. If it does not keep the style, all of it is `final`.
struct Reasoned {
  std::string cot;
  std::string final;
};
Reasoned parse_reasoning(std::string_view assistant);

/// Tokens, and for each whether a model learns to produce it.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<bool> learned;
};

/// Which tokens are learned: all answers with their end tokens, only the last answer, or every token.
enum class Learn : uint8_t { answers, last_answer, all };

/// The chat template. It is built from parts, so that a marker in a message stays text and the mask is exact:
///   <|system|>\n{system}\n<|sep|>\n<|user|>\n{user}\n<|sep|>\n<|assistant|>\n{assistant}</s>
/// and `<|sep|>\n<|user|>\n...` for further turns.
Sample chat_sample(const Tokenizer& tokenizer, const Conversation& conversation, Learn learn = Learn::answers);

/// A prompt for the last turn of a conversation.
struct ChatPrompt {
  std::vector<int32_t> tokens;
  size_t dropped_turns = 0;  ///< The oldest turns, for which there was no room.
};

/// The template up to where the assistant begins to answer the last turn, with as many of the newest turns as fit into
/// `max_tokens`. The system prompt and the last turn are always kept, also where they are longer. Takes time linear in
/// what is kept. Throws Error on a conversation without turns.
ChatPrompt fit_chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens);

/// The tokens of `fit_chat_prompt`. Throws Error also when the last turn alone does not fit.
std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens);

}  // namespace tinyllm
