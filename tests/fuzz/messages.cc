// A list of messages in JSON, through the reader, the chat template and the cutting of a prompt.
#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/model/text/prompt.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

#include <algorithm>

void tinyllm::test::fuzz(std::string_view bytes) {
  static const SentencePieceTokenizer tokenizer = sample_tokenizer();
  constexpr int64_t kMost = 60;
  may_refuse([&] {
    const Messages messages = read_messages(parse_json(bytes, "request"), "messages");
    const ChatPrompt prompt = fit_chat_prompt(tokenizer, *default_chat_template(), messages, kMost);
    // More than the last turn only if it fits; one marker for each user message, and none from text.
    const size_t kept = count_of_turns(messages) - prompt.dropped_turns;
    require(kept == 1 || std::ssize(prompt.tokens) <= kMost);
    require(std::count(prompt.tokens.begin(), prompt.tokens.end(), *tokenizer.special("<|user|>")) ==
            static_cast<std::ptrdiff_t>(kept));
  });
}
