#include <tinyllm/model/text/chat_template.h>

#include <tinyllm/model/text/markers.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Appends parts of the template.
class Pieces {
 public:
  explicit Pieces(bool learns_all) : learns_all_(learns_all) {}

  void marker(std::string_view text) { add(text, true, learns_all_); }
  void text(std::string_view text) { add(text, false, learns_all_); }
  void block(std::string_view marker, std::string_view content) {
    this->marker(marker);
    text("\n");
    text(content);
    text("\n");
    separator();
  }
  void separator() {
    marker(kSeparatorMarker);
    text("\n");
  }
  void begin_answer() {
    marker(kAssistantMarker);
    text("\n");
  }
  void answer(std::string_view content, bool learned) {
    add(content, false, learned);
    add(kEndToken, true, learned);
  }
  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  void add(std::string_view text, bool special, bool learned) {
    pieces_.push_back({std::string(text), special, learned});
  }

  bool learns_all_;
  std::vector<Piece> pieces_;
};

class DefaultTemplate final : public ChatTemplate {
 public:
  std::vector<Piece> render(const Messages& messages, const RenderOptions& options) const override {
    check(messages);
    const auto last = std::find_if(messages.rbegin(), messages.rend(), is_answer);
    Pieces pieces(options.learn == Learn::all);
    bool is_after_answer = false;
    const bool has_system = messages[0].role == Role::system;
    pieces.block(kSystemMarker, has_system ? messages[0].content : "");
    for (size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
      const Message& message = messages[i];
      if (is_after_answer) pieces.separator();
      is_after_answer = is_answer(message);
      if (is_after_answer) {
        pieces.begin_answer();
        const bool is_chosen = options.learn != Learn::last_answer || &message == &*last;
        pieces.answer(message.content, message.learned && is_chosen);
      } else {
        pieces.block(kUserMarker, message.content);
      }
    }
    if (options.add_generation_prompt) {
      if (is_after_answer) pieces.separator();
      pieces.begin_answer();
    }
    return pieces.take();
  }

 private:
  static bool is_answer(const Message& message) { return message.role == Role::assistant; }

  static void check(const Messages& messages) {
    for (size_t i = 0; i < messages.size(); ++i) {
      const Message& message = messages[i];
      const std::string where = fmt::format("chat template: message {}", i + 1);
      if (message.role == Role::system && i > 0) {
        throw Error("{}: is the system's, expected it to be the first", where);
      }
      if (message.role == Role::tool) throw Error("{}: is a tool's, for which this template has no form", where);
      if (!message.tool_calls.empty()) throw Error("{}: calls tools, for which this template has no form", where);
    }
    if (count_of_turns(messages) == 0) {
      throw Error("chat template: none of {} messages is the user's, expected one", messages.size());
    }
  }
};

// The tokens of pieces that are not special.
void append_text(const Tokenizer& tokenizer, std::span<const Piece> pieces, Sample& sample) {
  const auto is_border = [&](size_t i) { return i + 1 == pieces.size() || pieces[i + 1].learned != pieces[i].learned; };
  std::string text;
  std::vector<int32_t> tokens;
  // For each byte of the tokens, whether it is learned. There may be other bytes in the text, which is normalised.
  std::vector<bool> learned;
  for (size_t i = 0; i < pieces.size(); ++i) {
    text += pieces[i].text;
    if (!is_border(i)) continue;
    tokens = tokenizer.encode(text);
    learned.resize(std::max(learned.size(), tokenizer.decode(tokens).size()), pieces[i].learned);
  }
  size_t end = 0;
  for (const int32_t token : tokens) {
    const size_t begin = end;
    end = std::min(begin + tokenizer.decode({&token, 1}).size(), learned.size());
    const auto from = learned.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = learned.begin() + static_cast<std::ptrdiff_t>(end);
    sample.tokens.push_back(token);
    sample.learned.push_back(std::find(from, to, true) != to);
  }
}

}  // namespace

std::shared_ptr<const ChatTemplate> default_chat_template() {
  static const auto kTemplate = std::make_shared<const DefaultTemplate>();
  return kTemplate;
}

Sample tokenize(const Tokenizer& tokenizer, std::span<const Piece> pieces) {
  Sample sample;
  for (size_t i = 0; i < pieces.size();) {
    const Piece& piece = pieces[i];
    if (piece.special) {
      const std::optional<int32_t> token = tokenizer.special(piece.text);
      if (!token) throw Error("chat template: the tokenizer has no special token {}", piece.text);
      sample.tokens.push_back(*token);
      sample.learned.push_back(piece.learned);
      ++i;
      continue;
    }
    size_t end = i;
    while (end < pieces.size() && !pieces[end].special) ++end;
    append_text(tokenizer, pieces.subspan(i, end - i), sample);
    i = end;
  }
  return sample;
}

}  // namespace tinyllm
