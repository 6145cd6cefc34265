#include <tinyllm/runtime/chat.h>

#include <tinyllm/tensor/base/utf8.h>

#include <limits>

namespace tinyllm {

Chat::Chat(Session& session, Messages conversation, Overflow overflow)
    : session_(&session), conversation_(std::move(conversation)), overflow_(overflow), sequence_(session.start()) {
  for (const Message& message : conversation_) {
    check_utf8(message.content, message.role == Role::system ? "system prompt" : "message");
  }
}

Completion Chat::say(std::string message, const GenerateOptions& options, const OnWords& on_words) {
  check_utf8(message, "message");
  conversation_.push_back({Role::user, std::move(message)});
  try {
    return answer(options, on_words);
  } catch (...) {
    conversation_.pop_back();
    throw;
  }
}

Completion Chat::retry(const GenerateOptions& options, const OnWords& on_words) {
  if (count_of_turns(conversation_) == 0) throw Error("there is no message to answer again");
  Messages before = conversation_;
  conversation_.resize(last_question() + 1);
  try {
    return answer(options, on_words);
  } catch (...) {
    conversation_ = std::move(before);
    throw;
  }
}

void Chat::undo() {
  if (count_of_turns(conversation_) == 0) throw Error("there is no message to remove");
  conversation_.resize(last_question());
}

// The last message of the user, which must exist.
size_t Chat::last_question() const {
  size_t last = conversation_.size() - 1;
  while (conversation_[last].role != Role::user) --last;
  return last;
}

Completion Chat::answer(const GenerateOptions& options, const OnWords& on_words) {
  const int64_t context = session_->context();
  // Turns are dropped to leave room for an ordinary answer. A longer answer drops more of them as it grows.
  const int64_t reserved = std::max<int64_t>(1, std::min(options.max_tokens, context / 4));
  Request request{.prompt = prompt(context - reserved), .options = options, .sequence = &sequence_};
  if (overflow_ == Overflow::drop_oldest_turns) {
    request.shorten = [&](int64_t answered) { return prompt(context - answered - context / 8); };
  }
  const OnText on_text = [&](size_t, std::string_view text) { return on_words(text); };
  Completion answer = std::move(generate(*session_, {&request, 1}, on_words ? on_text : OnText())[0]);
  conversation_.push_back({Role::assistant, answer.text});
  return answer;
}

// Longer than `max_tokens` if the last message alone is: `generate` then says whether it fits.
std::vector<int32_t> Chat::prompt(int64_t max_tokens) {
  if (overflow_ == Overflow::stop) max_tokens = std::numeric_limits<int64_t>::max();
  const Model& model = session_->model();
  ChatPrompt prompt = fit_chat_prompt(*model.tokenizer, *model.chat_template, conversation_, max_tokens);
  dropped_turns_ = prompt.dropped_turns;
  return std::move(prompt.tokens);
}

}  // namespace tinyllm
