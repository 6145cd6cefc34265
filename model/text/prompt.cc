#include <tinyllm/model/text/prompt.h>

#include <tinyllm/tensor/base/error.h>

namespace tinyllm {
namespace {

constexpr std::string_view kCotTitle = "【推理过程】\n";
constexpr std::string_view kFinalTitle = "【最终答案】\n";

// Appends the parts of the template to a sample.
class Builder {
 public:
  Builder(const Tokenizer& tokenizer, Learn learn) : tokenizer_(tokenizer), learn_(learn) {}

  void system(std::string_view words) { said(Marker::system, words); }
  // The user's message, up to where the assistant begins to answer.
  void question(std::string_view words) {
    said(Marker::user, words);
    marker(Marker::assistant);
    text("\n");
  }
  void answer(const Turn& turn, bool is_last) {
    const bool learned = turn.learned && (is_last || learn_ != Learn::last_answer);
    text(turn.assistant, learned);
    token(kEosId, learned);
  }
  // What separates an answer from the next message.
  void separator() {
    marker(Marker::sep);
    text("\n");
  }
  Sample take() { return std::move(sample_); }

 private:
  void said(Marker who, std::string_view words) {
    marker(who);
    text("\n");
    text(words);
    text("\n");
    separator();
  }
  void marker(Marker marker) { token(tokenizer_.id(marker), learn_ == Learn::all); }
  void token(int32_t token, bool learned) {
    sample_.tokens.push_back(token);
    sample_.learned.push_back(learned);
  }
  void text(std::string_view text) { this->text(text, learn_ == Learn::all); }
  void text(std::string_view text, bool learned) {
    for (const int32_t id : tokenizer_.encode(text)) token(id, learned);
  }

  const Tokenizer& tokenizer_;
  Learn learn_;
  Sample sample_;
};

}  // namespace

std::string reasoning(std::string_view cot, std::string_view final) {
  return fmt::format("{}{}\n{}{}\n", kCotTitle, cot, kFinalTitle, final);
}

Reasoned parse_reasoning(std::string_view assistant) {
  const size_t cot = assistant.find(kCotTitle);
  const size_t final = assistant.find(kFinalTitle, cot == std::string_view::npos ? 0 : cot);
  const auto trimmed = [](std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    return std::string(text);
  };
  if (cot == std::string_view::npos || final == std::string_view::npos) return {"", trimmed(assistant)};
  const size_t begin = cot + kCotTitle.size();
  return {trimmed(assistant.substr(begin, final - begin)), trimmed(assistant.substr(final + kFinalTitle.size()))};
}

Sample chat_sample(const Tokenizer& tokenizer, const Conversation& conversation, Learn learn) {
  Builder builder(tokenizer, learn);
  builder.system(conversation.system);
  for (size_t i = 0; i < conversation.turns.size(); ++i) {
    const bool is_last = i + 1 == conversation.turns.size();
    builder.question(conversation.turns[i].user);
    builder.answer(conversation.turns[i], is_last);
    if (!is_last) builder.separator();
  }
  return builder.take();
}

ChatPrompt fit_chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens) {
  const std::vector<Turn>& turns = conversation.turns;
  if (turns.empty()) throw Error("prompt: there is no message to answer");
  Builder system(tokenizer, Learn::answers);
  system.system(conversation.system);
  // Backwards from the last turn, so that of the turns that are dropped only one is encoded.
  std::vector<std::vector<int32_t>> parts;
  ChatPrompt prompt{system.take().tokens, turns.size()};
  auto left = max_tokens - static_cast<int64_t>(prompt.tokens.size());
  while (prompt.dropped_turns > 0) {
    const Turn& turn = turns[prompt.dropped_turns - 1];
    Builder builder(tokenizer, Learn::answers);
    builder.question(turn.user);
    if (!parts.empty()) {
      builder.answer(turn, false);
      builder.separator();
    }
    std::vector<int32_t> part = builder.take().tokens;
    left -= static_cast<int64_t>(part.size());
    if (left < 0 && !parts.empty()) break;
    parts.push_back(std::move(part));
    --prompt.dropped_turns;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    prompt.tokens.insert(prompt.tokens.end(), part->begin(), part->end());
  }
  return prompt;
}

std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens) {
  std::vector<int32_t> tokens = fit_chat_prompt(tokenizer, conversation, max_tokens).tokens;
  if (static_cast<int64_t>(tokens.size()) > max_tokens) {
    throw Error("prompt: the last message makes {} tokens, expected at most {}", tokens.size(), max_tokens);
  }
  return tokens;
}

}  // namespace tinyllm
