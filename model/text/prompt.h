#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <string>
#include <vector>

namespace tinyllm {

/// One exchange: what the user says, and what the assistant says to it.
struct Turn {
  std::string user;
  std::string assistant;
  bool learned = true;  ///< Otherwise the assistant's part has no loss.
};

struct Conversation {
  std::string system;
  std::vector<Turn> turns;  ///< The assistant's part of the last one is empty while it is asked for.
};

/// The assistant's part in the reasoning style: 【推理过程】\n{cot}\n【最终答案】\n{final}\n
std::string reasoning(std::string_view cot, std::string_view final);

/// An answer taken apart. Where the style is not kept, all of it is `final`.
struct Reasoned {
  std::string cot;
  std::string final;
};
Reasoned parse_reasoning(std::string_view assistant);

/// Tokens with, for each, whether a model learns to say it.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<bool> learned;
};

/// What a sample teaches: the assistant's parts with their end tokens, the last of them alone, or every token.
enum class Learn : uint8_t { answers, last_answer, all };

/// The chat template, built from parts, so that a marker in a message stays text and the mask is exact:
///   <|system|>\n{system}\n<|sep|>\n<|user|>\n{user}\n<|sep|>\n<|assistant|>\n{assistant}</s>
/// and `<|sep|>\n<|user|>\n...` for further turns.
Sample chat_sample(const Tokenizer& tokenizer, const Conversation& conversation, Learn learn = Learn::answers);

/// The same up to where the assistant begins to answer the last turn. When it is longer than `max_tokens`, the oldest
/// turns go; throws Error when the last one alone is too long.
std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens);

}  // namespace tinyllm
