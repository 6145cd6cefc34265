#include <tinyllm/model/text/chat_template.h>

#include <tinyllm/model/text/markers.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <utility>

namespace tinyllm {
namespace {

// Appends pieces as the template writes them.
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

// For each token of a text that consists of these pieces: whether one of its bytes is learned.
std::vector<bool> learned_tokens(const Tokenizer& tokenizer, std::span<const Piece> pieces, std::string_view text,
                                 std::span<const int32_t> tokens) {
  const auto is_like_first = [&](const Piece& piece) { return piece.learned == pieces[0].learned; };
  if (std::all_of(pieces.begin(), pieces.end(), is_like_first)) {
    return std::vector<bool>(tokens.size(), pieces[0].learned);
  }
  std::vector<size_t> ends;
  size_t size = 0;
  for (const int32_t token : tokens) ends.push_back(size += tokenizer.decode({&token, 1}).size());
  // If the tokenizer normalises text, its tokens have other bytes than the text. Then each beginning of the text that
  // ends where `learned` changes is encoded too, to find the same place in the tokens' bytes.
  const bool is_text = size == text.size();
  std::vector<bool> bytes;
  for (size_t i = 0, end = 0; i < pieces.size(); ++i) {
    end += pieces[i].text.size();
    if (i + 1 < pieces.size() && pieces[i + 1].learned == pieces[i].learned) continue;
    const size_t to = is_text ? end : tokenizer.decode(tokenizer.encode(text.substr(0, end))).size();
    bytes.resize(std::max(bytes.size(), to), pieces[i].learned);
  }
  bytes.resize(std::max(bytes.size(), size));
  std::vector<bool> learned;
  for (size_t begin = 0; const size_t end : ends) {
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(std::exchange(begin, end));
    const auto to = bytes.begin() + static_cast<std::ptrdiff_t>(end);
    learned.push_back(std::find(from, to, true) != to);
  }
  return learned;
}

// Appends the tokens of pieces that are not special.
void append_text(const Tokenizer& tokenizer, std::span<const Piece> pieces, std::span<const int32_t> tokens,
                 Sample& sample) {
  if (tokens.empty()) return;
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  const std::vector<bool> learned = learned_tokens(tokenizer, pieces, text, tokens);
  sample.tokens.insert(sample.tokens.end(), tokens.begin(), tokens.end());
  sample.learned.insert(sample.learned.end(), learned.begin(), learned.end());
}

// Whether tokens hold as many special tokens as these.
bool are_in(std::span<const int32_t> tokens, std::vector<int32_t> special) {
  const size_t count = special.size();
  std::sort(special.begin(), special.end());
  const auto is_special = [&](int32_t token) { return std::binary_search(special.begin(), special.end(), token); };
  return static_cast<size_t>(std::count_if(tokens.begin(), tokens.end(), is_special)) == count;
}

// Whether the tokenizer takes a piece for its special token, between the pieces next to it that have text.
bool is_taken(const Tokenizer& tokenizer, std::span<const Piece> pieces, size_t at, int32_t id) {
  const auto has_text = [](const Piece& piece) { return !piece.text.empty(); };
  const auto here = pieces.begin() + static_cast<std::ptrdiff_t>(at);
  const auto before = std::find_if(std::make_reverse_iterator(here), pieces.rend(), has_text);
  const auto after = std::find_if(here + 1, pieces.end(), has_text);
  std::string text = before == pieces.rend() ? "" : before->text;
  const TextRange range = {text.size(), text.size() + here->text.size()};
  text += here->text;
  if (after != pieces.end()) text += after->text;
  return are_in(tokenizer.encode_rendered(text, {&range, 1}), {id});
}

// The pieces, with those as text that the tokenizer does not take for special tokens where they are, such as a part of
// a word for a token that must be a whole one.
std::vector<Piece> without_refused(const Tokenizer& tokenizer, std::span<const Piece> pieces,
                                   std::span<const int32_t> ids) {
  std::vector<Piece> taken(pieces.begin(), pieces.end());
  size_t next = 0;
  bool has_refused = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!pieces[i].special) continue;
    taken[i].special = is_taken(tokenizer, pieces, i, ids[next++]);
    has_refused = has_refused || !taken[i].special;
  }
  if (!has_refused)
    throw Error("chat template: the tokenizer does not find its special tokens where the template wrote them");
  return taken;
}

}  // namespace

std::shared_ptr<const ChatTemplate> default_chat_template() {
  static const auto kTemplate = std::make_shared<const DefaultTemplate>();
  return kTemplate;
}

Sample tokenize(const Tokenizer& tokenizer, std::span<const Piece> pieces) {
  std::string text;
  std::vector<TextRange> special;
  std::vector<int32_t> ids;
  for (const Piece& piece : pieces) {
    if (piece.special) {
      const std::optional<int32_t> id = tokenizer.special(piece.text);
      if (!id) throw Error("chat template: the tokenizer has no special token {}", piece.text);
      special.push_back({text.size(), text.size() + piece.text.size()});
      ids.push_back(*id);
    }
    text += piece.text;
  }
  const std::vector<int32_t> tokens = tokenizer.encode_rendered(text, special);
  if (!are_in(tokens, ids)) return tokenize(tokenizer, without_refused(tokenizer, pieces, ids));
  Sample sample;
  // Text never becomes a special token. The special tokens therefore show where each piece's tokens begin and end.
  auto token = tokens.begin();
  size_t next_special = 0;
  for (size_t i = 0; i < pieces.size();) {
    size_t end = i;
    while (end < pieces.size() && !pieces[end].special) ++end;
    const auto to = end < pieces.size() ? std::find(token, tokens.end(), ids[next_special++]) : tokens.end();
    append_text(tokenizer, pieces.subspan(i, end - i), {token, to}, sample);
    token = to;
    if (end < pieces.size()) {
      if (token == tokens.end()) {
        throw Error("chat template: the tokenizer does not find the special token {} where the template wrote it",
                    pieces[end].text);
      }
      sample.tokens.push_back(*token++);
      sample.learned.push_back(pieces[end].learned);
    }
    i = end + 1;
  }
  return sample;
}

std::optional<int32_t> answer_end(const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  const std::vector<Piece> pieces = chat_template.render({{Role::user, "?"}, {Role::assistant, "!"}}, {});
  const auto last = std::find_if(pieces.rbegin(), pieces.rend(), [](const Piece& piece) { return piece.learned; });
  if (last == pieces.rend() || !last->special) return std::nullopt;
  return tokenizer.special(last->text);
}

}  // namespace tinyllm
