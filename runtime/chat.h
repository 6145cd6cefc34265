#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/runtime/generate.h>

namespace tinyllm {

/// What happens to a conversation that is longer than the session's context. `stop`: the answer ends, and a message
/// that does not fit is an Error. `drop_oldest_turns`: the model no longer reads the oldest turns.
enum class Overflow : uint8_t { stop, drop_oldest_turns };
constexpr auto names(Overflow) { return std::array{"stop", "drop"}; }

/// A conversation with a model, cached in one sequence of the session: each answer reads only what is new.
class Chat {
 public:
  /// The conversation ends with an answer, or has no turn yet. Throws Error on a text that is not UTF-8.
  Chat(Session& session, Messages conversation, Overflow overflow = Overflow::drop_oldest_turns);

  using OnWords = std::function<bool(std::string_view text)>;
  /// Appends a message and its answer, which is passed to `on_words` as it is generated; return false there to end it.
  /// Throws Error as `generate` does, and on a message that is not UTF-8 or too long for the context. The conversation
  /// is then unchanged.
  Completion say(std::string message, const GenerateOptions& options = {}, const OnWords& on_words = {});
  /// Answers the last message again. Throws Error when there is none.
  Completion retry(const GenerateOptions& options = {}, const OnWords& on_words = {});
  /// Removes the last turn: the message and its answer. Throws Error when there is none.
  void undo();

  const Messages& conversation() const { return conversation_; }
  /// The oldest turns that the last answer could not take into account.
  size_t dropped_turns() const { return dropped_turns_; }

 private:
  Completion answer(const GenerateOptions& options, const OnWords& on_words);
  size_t last_question() const;
  std::vector<int32_t> prompt(int64_t max_tokens);

  Session* session_;
  Messages conversation_;
  Overflow overflow_;
  Sequence sequence_;
  size_t dropped_turns_ = 0;
};

}  // namespace tinyllm
