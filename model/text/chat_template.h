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
/// answer whose message has `learned` false is never learned.
enum class Learn : uint8_t { answers, last_answer, all };

struct RenderOptions {
  bool add_generation_prompt = false;  ///< End with the text that begins the assistant's answer.
  Learn learn = Learn::answers;
};

/// Renders messages as the text and special tokens that a model was trained with. Const methods may be called from
/// several threads at once.
class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;

  /// Throws Error that names the message if the template cannot express it.
  virtual std::vector<Piece> render(const Messages& messages, const RenderOptions& options) const = 0;
};

/// The template of models that are trained here:
/// `<|system|>\n{system}\n<|sep|>\n<|user|>\n{user}\n<|sep|>\n<|assistant|>\n{assistant}</s>`.
/// A message that follows an answer begins with `<|sep|>\n`. Without a system message, {system} is empty. `render`
/// throws Error without a user message, on a system message that is not the first, on the role `tool` and on tool
/// calls.
std::shared_ptr<const ChatTemplate> default_chat_template();

/// Tokens, and for each whether a model learns to produce it.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<bool> learned;
};

/// Encodes the pieces. A special piece becomes the tokenizer's special token with that text, which may absorb the
/// blanks next to it. The pieces between two special ones are encoded as one text, since a token may span several
/// pieces. A token is learned if any of its bytes is. Throws Error on a special piece that the tokenizer does not have,
/// and on text that is not UTF-8.
Sample tokenize(const Tokenizer& tokenizer, std::span<const Piece> pieces);

/// The special token with which the template ends an answer, or nothing if it does not end with one. Throws Error as
/// `render` does.
std::optional<int32_t> answer_end(const Tokenizer& tokenizer, const ChatTemplate& chat_template);

}  // namespace tinyllm
