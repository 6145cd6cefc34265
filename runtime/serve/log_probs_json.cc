#include <tinyllm/runtime/serve/log_probs_json.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <set>

namespace tinyllm {
namespace {

// JSON has no -inf, and clients no use for null.
double finite(double log_prob) { return std::max(log_prob, -9999.0); }

std::string bytes_text(std::string_view bytes) {
  std::string list = "[";
  for (const char byte : bytes) {
    list += fmt::format("{}{}", list.size() > 1 ? "," : "", static_cast<unsigned char>(byte));
  }
  return list += "]";
}

std::string json_string(std::string_view text) { return text_of(OrderedJson(text)); }

void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list += ',';
  list += item;
}

std::string chat_token(const Tokenizer& tokenizer, int32_t token, std::string_view bytes, double log_prob) {
  return fmt::format("\"token\":{},\"logprob\":{},\"bytes\":{}", json_string(token_text(tokenizer, token)),
                     finite(log_prob), bytes_text(bytes));
}

std::string name_of(const Tokenizer& tokenizer, int32_t token) {
  const std::string bytes = tokenizer.decode({&token, 1});
  if (valid_utf8(bytes) == bytes.size()) return token_text(tokenizer, token);
  std::string name = "bytes:";
  for (const char byte : bytes) name += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return name;
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

std::string chat_log_probs(const Tokenizer& tokenizer, const std::vector<AnswerToken>& tokens) {
  std::string content;
  for (const AnswerToken& token : tokens) {
    std::string top;
    for (const auto& [other, log_prob] : token.log_probs.top) {
      append_item(top, fmt::format("{{{}}}", chat_token(tokenizer, other, tokenizer.decode({&other, 1}), log_prob)));
    }
    append_item(content, fmt::format("{{{},\"top_logprobs\":[{}]}}",
                                     chat_token(tokenizer, token.token, token.bytes, token.log_probs.log_prob), top));
  }
  return fmt::format("{{\"content\":[{}],\"refusal\":null}}", content);
}

void CompletionLogProbs::add(int32_t token, int64_t offset, const TokenLogProbs* log_probs) {
  add(token, name_of(tokenizer_, token), offset, log_probs);
}

void CompletionLogProbs::add_end(int32_t token, int64_t offset, const TokenLogProbs& log_probs) {
  add(token, "", offset, &log_probs);
}

void CompletionLogProbs::add(int32_t token, std::string_view name, int64_t offset, const TokenLogProbs* log_probs) {
  append_item(tokens_, json_string(name));
  append_item(offsets_, fmt::format("{}", offset));
  if (log_probs == nullptr) {
    append_item(log_probs_, "null");
    return append_item(top_, "null");
  }
  append_item(log_probs_, fmt::format("{}", finite(log_probs->log_prob)));
  // Of tokens with the same name, the likeliest; and always the one of the text.
  std::set<std::string> seen = {std::string(name)};
  std::string top;
  bool has_own = false;
  for (const auto& [other, log_prob] : log_probs->top) {
    const bool is_own = other == token;
    std::string other_name = is_own ? std::string(name) : name_of(tokenizer_, other);
    has_own = has_own || is_own;
    if (is_own || seen.insert(other_name).second) {
      append_item(top, fmt::format("{}:{}", json_string(other_name), finite(log_prob)));
    }
  }
  if (!has_own) append_item(top, fmt::format("{}:{}", json_string(name), finite(log_probs->log_prob)));
  append_item(top_, fmt::format("{{{}}}", top));
}

std::string CompletionLogProbs::text() const {
  return fmt::format("{{\"tokens\":[{}],\"token_logprobs\":[{}],\"top_logprobs\":[{}],\"text_offset\":[{}]}}", tokens_,
                     log_probs_, top_, offsets_);
}

}  // namespace tinyllm
