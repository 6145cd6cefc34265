#include <doctest/doctest.h>

#include <tinyllm/model/text/chat_template.h>

#include "error_of.h"
#include "model/text/sample_chat.h"
#include "model/text/sample_text.h"

#include <algorithm>

namespace tinyllm::test {
namespace {

std::string learned_text(const Tokenizer& tokenizer, const Sample& sample) {
  std::string text;
  for (size_t i = 0; i < sample.tokens.size(); ++i) {
    if (sample.learned[i]) text += tokenizer.piece(sample.tokens[i]);
  }
  return text;
}

Sample sample_of(const Tokenizer& tokenizer, const Messages& messages, Learn learn = Learn::answers) {
  return tokenize(tokenizer, default_chat_template()->render(messages, {.learn = learn}));
}

// Texts as tokens, the longest one first; "\r" is dropped, as a normalisation does.
class ToyTokenizer : public Tokenizer {
 public:
  int64_t size() const override { return std::ssize(kTexts); }
  uint64_t hash() const override { return 0; }
  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    for (const int32_t token : tokens) text += kTexts[static_cast<size_t>(token)];
    return text;
  }
  std::string_view piece(int32_t token) const override { return kTexts[static_cast<size_t>(token)]; }
  std::optional<int32_t> special(std::string_view text) const override {
    return text == "<end>" ? std::optional(kEnd) : std::nullopt;
  }
  std::span<const int32_t> end_tokens() const override { return {&kEnd, 1}; }
  int32_t pad() const override { return 0; }
  std::map<std::string, std::string> files() const override { return {}; }

 private:
  std::vector<int32_t> encode_utf8(std::string_view text) const override {
    std::string plain(text);
    std::erase(plain, '\r');
    std::vector<int32_t> tokens;
    for (size_t at = 0; at < plain.size(); at += kTexts[static_cast<size_t>(tokens.back())].size()) {
      tokens.push_back(1);
      while (plain.compare(at, kTexts[static_cast<size_t>(tokens.back())].size(),
                           kTexts[static_cast<size_t>(tokens.back())]) != 0) {
        ++tokens.back();
      }
    }
    return tokens;
  }

  const std::vector<std::string> kTexts = {"<end>", "aba", "ab", "bc", "\na", "\n", "a", "b",
                                           "c",     "x",   "<",  "e",  "n",   "d",  ">"};
  const int32_t kEnd = 0;
};

// Takes "<end>" for a special token unless an "x" follows, and counts the bytes that it encodes.
class PickyTokenizer final : public ToyTokenizer {
 public:
  std::vector<int32_t> encode_rendered(std::string_view text, std::span<const TextRange> special) const override {
    bytes += text.size();
    std::vector<TextRange> taken;
    for (const TextRange& range : special) {
      if (range.end == text.size() || text[range.end] != 'x') taken.push_back(range);
    }
    return Tokenizer::encode_rendered(text, taken);
  }

  mutable size_t bytes = 0;
};

}  // namespace

TEST_CASE("the template is markers and text, token by token") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const auto marker = [&](std::string_view text) { return std::vector{tokenizer.special(text).value()}; };
  const auto text = [&](std::string_view words) { return tokenizer.encode(words); };
  std::vector<int32_t> expected;
  for (const std::vector<int32_t>& part :
       {marker("<|system|>"),    text("\n"), text("帮助人"),    text("\n"),     marker("<|sep|>"), text("\n"),
        marker("<|user|>"),      text("\n"), text("算 12 * 3"), text("\n"),     marker("<|sep|>"), text("\n"),
        marker("<|assistant|>"), text("\n"), text("\n 36 "),    marker("</s>"), marker("<|sep|>"), text("\n"),
        marker("<|user|>"),      text("\n"), text("two?\n"),    text("\n"),     marker("<|sep|>"), text("\n"),
        marker("<|assistant|>"), text("\n"), text("two."),      marker("</s>")}) {
    expected.insert(expected.end(), part.begin(), part.end());
  }
  const Messages messages = chat_of("帮助人", {"算 12 * 3", "\n 36 ", "two?\n", "two."});
  CHECK(sample_of(tokenizer, messages).tokens == expected);
}

TEST_CASE("a sample spells the template, and what is learned are the assistant's parts with their ends") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const Sample sample = sample_of(tokenizer, chat_of("帮助人", {"问一", "答一", "two?", "two."}));
  CHECK(sample.tokens.size() == sample.learned.size());
  CHECK(tokenizer.decode(sample.tokens) ==
        "<|system|>\n帮助人\n<|sep|>\n<|user|>\n问一\n<|sep|>\n<|assistant|>\n答一<|sep|>\n<|user|>\ntwo?\n<|sep|>\n"
        "<|assistant|>\ntwo.");
  CHECK(learned_text(tokenizer, sample) == "答一</s>two.</s>");
}

TEST_CASE("without a system message its words are empty, and any order of user and assistant has a form") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const Messages asked = {{Role::user, "q"}};
  CHECK(sample_of(tokenizer, asked).tokens == sample_of(tokenizer, chat_of("", {"q"})).tokens);
  const Messages any = {{Role::assistant, "hi"}, {Role::user, "q"}, {Role::user, "r"}, {Role::assistant, "a"}};
  CHECK(
      tokenizer.decode(sample_of(tokenizer, any).tokens) ==
      "<|system|>\n\n<|sep|>\n<|assistant|>\nhi<|sep|>\n<|user|>\nq\n<|sep|>\n<|user|>\nr\n<|sep|>\n<|assistant|>\na");
}

TEST_CASE("the last answer alone is learned, or everything that follows a token") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const Messages messages = chat_of("s", {"q", "one", "r", "two"});
  CHECK(learned_text(tokenizer, sample_of(tokenizer, messages, Learn::last_answer)) == "two</s>");
  const Sample all = sample_of(tokenizer, messages, Learn::all);
  CHECK(all.tokens == sample_of(tokenizer, messages).tokens);
  CHECK(std::count(all.learned.begin(), all.learned.end(), false) == 0);
}

TEST_CASE("an answer that is not to be learned has no loss, whatever else is learned") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  Messages messages = chat_of("s", {"q", "one", "r", "two"});
  messages[2].learned = false;
  CHECK(learned_text(tokenizer, sample_of(tokenizer, messages)) == "two</s>");
  CHECK(learned_text(tokenizer, sample_of(tokenizer, messages, Learn::all)).find("one") == std::string::npos);
  messages.resize(3);
  CHECK(learned_text(tokenizer, sample_of(tokenizer, messages)).empty());
}

TEST_CASE("what the template cannot express is refused by the number of the message") {
  const auto refused = [](const Messages& messages) {
    return error_of([&] { default_chat_template()->render(messages, {}); });
  };
  Messages messages = chat_of("s", {"q", "a"});
  messages.push_back({Role::tool, "4"});
  CHECK(refused(messages) == "chat template: message 4: is a tool's, for which this template has no form");
  messages[2].tool_calls = "[{}]";
  CHECK(refused(messages) == "chat template: message 3: calls tools, for which this template has no form");
  messages = chat_of("s", {"q", "a"});
  messages.push_back({Role::system, "t"});
  CHECK(refused(messages) == "chat template: message 4: is the system's, expected it to be the first");
  CHECK(refused(chat_of("s", {})) == "chat template: none of 1 messages is the user's, expected one");
  CHECK(refused({}) == "chat template: none of 0 messages is the user's, expected one");
}

TEST_CASE("texts beside each other are encoded as one, and a token is learned if a byte of it is") {
  const ToyTokenizer tokenizer;
  const auto told = [&](const std::vector<Piece>& pieces) {
    const Sample sample = tokenize(tokenizer, pieces);
    std::string text;
    for (size_t i = 0; i < sample.tokens.size(); ++i) {
      text += fmt::format("{}{}", sample.learned[i] ? "+" : "-", tokenizer.piece(sample.tokens[i]));
    }
    return text;
  };
  CHECK(told({{"a", false, false}, {"b", false, false}}) == "-ab");
  CHECK(told({{"x\n", false, false}, {"ax", false, true}}) == "-x+\na+x");
  CHECK(told({{"x", false, false}, {"ax", false, true}, {"\n", false, false}}) == "-x+a+x-\n");
  CHECK(told({{"x", false, true}, {"a", false, true}, {"ba", false, false}, {"x", false, true}}) == "+x+aba+x");
  CHECK(told({{"a", false, false}, {"", false, true}, {"b", false, false}}) == "-ab");
  CHECK(told({{"a", false, false}, {"<end>", true, true}, {"b", false, false}}) == "-a+<end>-b");
  // Bytes that the tokenizer drops move nothing.
  CHECK(told({{"x\r\r\r", false, false}, {"a", false, true}, {"\rx", false, false}}) == "-x+a-x");
  CHECK(told({}).empty());
  CHECK_THROWS_WITH_AS(told({{"<begin>", true, false}}), "chat template: the tokenizer has no special token <begin>",
                       Error);
}

TEST_CASE("special tokens that a tokenizer refuses are text, at a cost that grows with the text alone") {
  const PickyTokenizer tokenizer;
  std::vector<Piece> pieces;
  size_t bytes = 0;
  for (int i = 0; i < 25'000; ++i) {
    for (const Piece& piece : {Piece{"a", false, false}, Piece{"<end>", true, true}, Piece{"", false, false},
                               Piece{i % 2 == 0 ? "x" : "c", false, false}}) {
      bytes += piece.text.size();
      pieces.push_back(piece);
    }
  }
  const Sample sample = tokenize(tokenizer, pieces);
  CHECK(std::count(sample.tokens.begin(), sample.tokens.end(), 0) == 12'500);
  CHECK(tokenizer.decode(sample.tokens).size() == bytes);
  // Once as it is, each special token with its neighbours, and once with what is taken.
  CHECK(tokenizer.bytes <= 4 * bytes);
}

}  // namespace tinyllm::test
