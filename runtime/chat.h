#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/generate.h>

namespace tinyllm {

/// What becomes of a conversation that outgrows the model's context: the answer ends there (and a message that has no
/// room is an Error), or the model forgets the oldest turns.
enum class Overflow : uint8_t { stop, drop_oldest_turns };

/// A conversation with a model. What the model has read of it is kept in one sequence of the session.
class Chat {
 public:
  /// Throws Error on a text that is not UTF-8.
  Chat(Session& session, Conversation conversation, Overflow overflow = Overflow::drop_oldest_turns);

  using OnWords = std::function<bool(std::string_view text)>;
  /// Appends a message and its answer, given out as it comes; return false from `on_words` to cut it short. Throws
  /// Error as `generate` does, and on a message that is not UTF-8 or too long for the context; the conversation is then
  /// what it was.
  Answer say(std::string message, const AnswerOptions& options = {}, const OnWords& on_words = {});
  /// Answers the last message once more. Throws Error when there is none.
  Answer retry(const AnswerOptions& options = {}, const OnWords& on_words = {});

  const Conversation& conversation() const { return conversation_; }

 private:
  Answer answer(const AnswerOptions& options, const OnWords& on_words);
  std::vector<int32_t> prompt(int64_t max_tokens) const;

  Session* session_;
  Conversation conversation_;
  Overflow overflow_;
  Sequence sequence_;
};

}  // namespace tinyllm
