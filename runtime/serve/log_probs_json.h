// What several replies write alike. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/answer_reply.h>

namespace tinyllm {

/// The usage object.
OrderedJson usage_json(const Usage& usage);
/// The stop string that ended an answer, or null.
OrderedJson stop_reason(const AnswerEnd& end);

/// The log-probabilities of tokens in the form of chat completions. JSON as text: there may be a million of them.
std::string chat_log_probs(const Tokenizer& tokenizer, const std::vector<AnswerToken>& tokens);

/// The same in the older form of completions, token by token. A token that is not text is named by its bytes, as
/// "bytes:\xe4\xbd".
class CompletionLogProbs {
 public:
  explicit CompletionLogProbs(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// `offset`: characters of the text before the token. Null: the first token of a prompt, which nothing predicts.
  void add(int32_t token, int64_t offset, const TokenLogProbs* log_probs);
  /// The token that ended the text, of which it is no part.
  void add_end(int32_t token, int64_t offset, const TokenLogProbs& log_probs);
  std::string text() const;

 private:
  void add(int32_t token, std::string_view name, int64_t offset, const TokenLogProbs* log_probs);

  const Tokenizer& tokenizer_;
  std::string tokens_, log_probs_, top_, offsets_;  // Between the brackets.
};

}  // namespace tinyllm
