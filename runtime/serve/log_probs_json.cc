#include <tinyllm/runtime/serve/log_probs_json.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

// JSON has no -inf, and clients no use for null.
double finite(double log_prob) { return std::max(log_prob, -9999.0); }

OrderedJson bytes_json(std::string_view bytes) {
  OrderedJson list = OrderedJson::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return list;
}

}  // namespace

OrderedJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
}

OrderedJson stop_reason(const AnswerEnd& end) {
  return end.stop_string.empty() ? OrderedJson() : OrderedJson(end.stop_string);
}

OrderedJson chat_log_probs(const Tokenizer& tokenizer, const std::vector<AnswerToken>& tokens) {
  OrderedJson content = OrderedJson::array();
  for (const AnswerToken& token : tokens) {
    OrderedJson top = OrderedJson::array();
    for (const auto& [other, log_prob] : token.log_probs.top) {
      top.push_back({{"token", token_text(tokenizer, other)},
                     {"logprob", finite(log_prob)},
                     {"bytes", bytes_json(tokenizer.decode({&other, 1}))}});
    }
    content.push_back({{"token", token_text(tokenizer, token.token)},
                       {"logprob", finite(token.log_probs.log_prob)},
                       {"bytes", bytes_json(token.bytes)},
                       {"top_logprobs", std::move(top)}});
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

void CompletionLogProbs::add(std::string_view text, int64_t offset, const TokenLogProbs* log_probs) {
  tokens_.push_back(text);
  offsets_.push_back(offset);
  log_probs_.push_back(log_probs == nullptr ? OrderedJson() : OrderedJson(finite(log_probs->log_prob)));
  if (log_probs == nullptr) return top_.push_back(nullptr);
  OrderedJson top = OrderedJson::object();
  for (const auto& [token, log_prob] : log_probs->top) top[token_text(tokenizer_, token)] = finite(log_prob);
  top_.push_back(std::move(top));
}

OrderedJson CompletionLogProbs::json() const {
  return {{"tokens", tokens_}, {"token_logprobs", log_probs_}, {"top_logprobs", top_}, {"text_offset", offsets_}};
}

}  // namespace tinyllm
