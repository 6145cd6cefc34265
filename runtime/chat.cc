#include <tinyllm/runtime/chat.h>

#include <tinyllm/tensor/base/utf8.h>

#include <limits>

namespace tinyllm {

Chat::Chat(Session& session, Conversation conversation, Overflow overflow)
    : session_(&session), conversation_(std::move(conversation)), overflow_(overflow), sequence_(session.start()) {
  check_utf8(conversation_.system, "system prompt");
  for (const Turn& turn : conversation_.turns) {
    check_utf8(turn.user, "message");
    check_utf8(turn.assistant, "answer");
  }
}

Answer Chat::say(std::string message, const AnswerOptions& options, const OnWords& on_words) {
  check_utf8(message, "message");
  conversation_.turns.push_back({std::move(message), ""});
  try {
    return answer(options, on_words);
  } catch (...) {
    conversation_.turns.pop_back();
    throw;
  }
}

Answer Chat::retry(const AnswerOptions& options, const OnWords& on_words) {
  if (conversation_.turns.empty()) throw Error("there is no message to answer once more");
  return answer(options, on_words);
}

Answer Chat::answer(const AnswerOptions& options, const OnWords& on_words) {
  const int64_t context = session_->model().config.context;
  // Turns go before there is no room for a usual answer; in a longer one, more of them go.
  const int64_t reserved = std::max<int64_t>(1, std::min(options.max_tokens, context / 4));
  Request request{.prompt = prompt(context - reserved), .options = options, .sequence = &sequence_};
  if (overflow_ == Overflow::drop_oldest_turns) {
    request.shorten = [&](int64_t answered) { return prompt(context - answered - context / 8); };
  }
  const OnText on_text = [&](size_t, std::string_view text) { return on_words(text); };
  Answer answer = std::move(generate(*session_, {&request, 1}, on_words ? on_text : OnText())[0]);
  conversation_.turns.back().assistant = answer.text;
  return answer;
}

// Longer than asked where the last message alone is: whether that has room, `generate` says.
std::vector<int32_t> Chat::prompt(int64_t max_tokens) const {
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  const Tokenizer& tokenizer = session_->model().tokenizer;
  if (overflow_ == Overflow::stop) return chat_prompt(tokenizer, conversation_, kAll);
  const auto last = chat_prompt(tokenizer, {conversation_.system, {conversation_.turns.back()}}, kAll);
  return chat_prompt(tokenizer, conversation_, std::max(max_tokens, static_cast<int64_t>(last.size())));
}

}  // namespace tinyllm
