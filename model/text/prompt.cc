#include <tinyllm/model/text/prompt.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr RenderOptions kPrompt = {.add_generation_prompt = true};

// Where each turn begins. The first turn begins after the leading system messages, even if its first message is not the
// user's.
std::vector<size_t> turn_starts(const Messages& messages) {
  const auto is_system = [](const Message& message) { return message.role == Role::system; };
  const auto first = std::find_if_not(messages.begin(), messages.end(), is_system);
  std::vector<size_t> starts = {static_cast<size_t>(first - messages.begin())};
  bool is_first = true;
  for (size_t i = starts[0]; i < messages.size(); ++i) {
    if (messages[i].role == Role::user && !std::exchange(is_first, false)) starts.push_back(i);
  }
  return starts;
}

class Fitter {
 public:
  Fitter(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Messages& messages)
      : tokenizer_(tokenizer), template_(chat_template), messages_(messages), starts_(turn_starts(messages)) {}

  ChatPrompt fit(int64_t max_tokens) const {
    // Adds turns from the newest to the oldest, and stops at the first that does not fit: the older ones are never
    // encoded.
    ChatPrompt prompt{tokens_from(starts_.size() - 1), starts_.size() - 1};
    if (prompt.dropped_turns == 0) return prompt;
    int64_t size = std::ssize(prompt.tokens);
    while (prompt.dropped_turns > 0) {
      size += size_of(prompt.dropped_turns - 1);
      if (size > max_tokens) break;
      --prompt.dropped_turns;
    }
    // A template may render a turn differently inside the conversation, so that the prompt is longer than the sum. Then
    // a binary search finds how many more turns to drop.
    size_t least = std::exchange(prompt.dropped_turns, starts_.size() - 1);
    for (size_t dropped = least; least < prompt.dropped_turns; dropped = (least + prompt.dropped_turns) / 2) {
      std::vector<int32_t> tokens = tokens_from(dropped);
      if (std::ssize(tokens) <= max_tokens) {
        prompt = {std::move(tokens), dropped};
      } else {
        least = dropped + 1;
      }
    }
    return prompt;
  }

 private:
  std::vector<int32_t> tokens_of(const Messages& messages) const {
    return tokenize(tokenizer_, template_.render(messages, kPrompt)).tokens;
  }

  // The prompt that begins with this turn.
  std::vector<int32_t> tokens_from(size_t turn) const {
    Messages kept(messages_.begin(), at(starts_[0]));
    kept.insert(kept.end(), at(starts_[turn]), messages_.end());
    return tokens_of(kept);
  }

  // How many tokens a turn, other than the last one, adds to a prompt.
  int64_t size_of(size_t turn) const {
    Messages messages(at(starts_[turn]), at(starts_[turn + 1]));
    const Message question{Role::user, "?"};
    messages.push_back(question);
    return std::ssize(tokens_of(messages)) - std::ssize(tokens_of({question}));
  }

  Messages::const_iterator at(size_t i) const { return messages_.begin() + static_cast<std::ptrdiff_t>(i); }

  const Tokenizer& tokenizer_;
  const ChatTemplate& template_;
  const Messages& messages_;
  std::vector<size_t> starts_;
};

}  // namespace

ChatPrompt fit_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Messages& messages,
                           int64_t max_tokens) {
  const Role last = messages.empty() ? Role::system : messages.back().role;
  if (last != Role::user && last != Role::tool) throw Error("prompt: there is no message to answer");
  try {
    return Fitter(tokenizer, chat_template, messages).fit(max_tokens);
  } catch (const Error&) {
    // The error counts messages from the first that was kept. Rendering all of them throws one that counts from the
    // first message.
    chat_template.render(messages, kPrompt);
    throw;
  }
}

std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                 const Messages& messages, int64_t max_tokens) {
  std::vector<int32_t> tokens = fit_chat_prompt(tokenizer, chat_template, messages, max_tokens).tokens;
  if (std::ssize(tokens) > max_tokens) {
    throw Error("prompt: the last message makes {} tokens, expected at most {}", tokens.size(), max_tokens);
  }
  return tokens;
}

}  // namespace tinyllm
