#include <tinyllm/model/text/prompt.h>

#include <tinyllm/tensor/base/error.h>

namespace tinyllm {
namespace {

constexpr std::string_view kCotTitle = "【推理过程】\n";
constexpr std::string_view kFinalTitle = "【最终答案】\n";

// Appends the parts of the template to a sample.
class Builder {
 public:
  Builder(const Tokenizer& tokenizer, bool learns_prompts) : tokenizer_(tokenizer), learns_prompts_(learns_prompts) {}

  void marker(Marker marker) { token(tokenizer_.id(marker), learns_prompts_); }
  void token(int32_t token, bool learned) {
    sample_.tokens.push_back(token);
    sample_.learned.push_back(learned);
  }
  void text(std::string_view text) { this->text(text, learns_prompts_); }
  void text(std::string_view text, bool learned) {
    for (const int32_t id : tokenizer_.encode(text)) token(id, learned);
  }
  void said(Marker who, std::string_view words) {
    marker(who);
    text("\n");
    text(words);
    text("\n");
    marker(Marker::sep);
    text("\n");
  }
  Sample take() { return std::move(sample_); }

 private:
  const Tokenizer& tokenizer_;
  bool learns_prompts_;
  Sample sample_;
};

Sample build(const Tokenizer& tokenizer, const Conversation& conversation, size_t first_turn, bool answered,
             Learn learn) {
  Builder builder(tokenizer, learn == Learn::all);
  builder.said(Marker::system, conversation.system);
  for (size_t i = first_turn; i < conversation.turns.size(); ++i) {
    const Turn& turn = conversation.turns[i];
    const bool last = i + 1 == conversation.turns.size();
    builder.said(Marker::user, turn.user);
    builder.marker(Marker::assistant);
    builder.text("\n");
    if (last && !answered) break;
    const bool learned = turn.learned && (last || learn != Learn::last_answer);
    builder.text(turn.assistant, learned);
    builder.token(kEosId, learned);
    if (last) break;
    builder.marker(Marker::sep);
    builder.text("\n");
  }
  return builder.take();
}

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
  return build(tokenizer, conversation, 0, true, learn);
}

std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, const Conversation& conversation, int64_t max_tokens) {
  size_t size = 0;
  for (size_t first = 0; first < conversation.turns.size(); ++first) {
    std::vector<int32_t> tokens = build(tokenizer, conversation, first, false, Learn::answers).tokens;
    if (static_cast<int64_t>(tokens.size()) <= max_tokens) return tokens;
    size = tokens.size();
  }
  throw Error("prompt: the last message makes {} tokens, expected at most {}", size, max_tokens);
}

}  // namespace tinyllm
