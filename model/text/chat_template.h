#pragma once

#include <tinyllm/model/text/message.h>
#include <tinyllm/model/text/tokenizer.h>

#include <memory>
#include <optional>
#include <span>

namespace tinyllm {

/// A part of a rendered conversation.
struct Piece {
  std::string text;
  bool special;  ///< The text of a special token. Nothing else becomes one.
  bool learned;  ///< Whether a model learns to produce it.
};

/// Which parts of a sample are learned: all answers with their end tokens, only the last answer, or everything. An
/// answer that is not `learned` is left out in each case.
enum class Learn : uint8_t { answers, last_answer, all };

struct RenderOptions {
  bool add_generation_prompt = false;  ///< Go on to where the assistant begins to answer.
  Learn learn = Learn::answers;
};

/// Turns messages into the text and the special tokens that a model was trained with. Const methods may be called from
/// several threads at once.
class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;

  /// Throws Error that names the message which the template cannot express.
  virtual std::vector<Piece> render(const Messages& messages, const RenderOptions& options) const = 0;
};

/// The template that models are trained with here:
///   <|system|>\n{system}\n<|sep|>\n<|user|>\n{user}\n<|sep|>\n<|assistant|>\n{assistant}</s>
/// and <|sep|>\n before a message that follows an answer. Without a system message, {system} is empty. Throws Error
/// when there is no user message, on a system message that is not the first, on a role `tool` and on tool calls.
std::shared_ptr<const ChatTemplate> default_chat_template();

/// Tokens, and for each whether a model learns to produce it.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<bool> learned;
};

/// The tokens of pieces. A special piece is the tokenizer's special token of that text, and may take the blanks beside
/// it. Texts between two of them are encoded as one, since tokens may reach from one piece into the next; such a token
/// is learned if it has a learned byte. Throws Error on a special piece that the tokenizer does not have, and on text
/// that is not UTF-8.
Sample tokenize(const Tokenizer& tokenizer, std::span<const Piece> pieces);

/// The special token with which an answer ends, as far as the template says one. Throws Error as `render` does.
std::optional<int32_t> answer_end(const Tokenizer& tokenizer, const ChatTemplate& chat_template);

}  // namespace tinyllm
