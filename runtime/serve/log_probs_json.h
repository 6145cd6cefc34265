// What several replies write alike. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/answer_reply.h>

namespace tinyllm {

/// The usage object.
OrderedJson usage_json(const Usage& usage);
/// The stop string that ended an answer, or null.
OrderedJson stop_reason(const AnswerEnd& end);

/// The log-probabilities of tokens in the form of chat completions.
OrderedJson chat_log_probs(const Tokenizer& tokenizer, const std::vector<AnswerToken>& tokens);

/// The same in the older form of completions, token by token.
class CompletionLogProbs {
 public:
  explicit CompletionLogProbs(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// `offset`: characters of the text before the token. Null: the first token of a prompt, which nothing predicts.
  void add(std::string_view text, int64_t offset, const TokenLogProbs* log_probs);
  OrderedJson json() const;

 private:
  const Tokenizer& tokenizer_;
  OrderedJson tokens_ = OrderedJson::array(), log_probs_ = OrderedJson::array(), top_ = OrderedJson::array(),
              offsets_ = OrderedJson::array();
};

}  // namespace tinyllm
