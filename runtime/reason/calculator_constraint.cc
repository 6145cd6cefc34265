#include <tinyllm/runtime/reason/calculator_constraint.h>
#include <tinyllm/runtime/reason/open_equation.h>

#include <algorithm>
#include <array>
#include <string>

namespace tinyllm {
namespace {
// What an equation may need at its end; more of an answer is not looked at.
constexpr size_t kTail = 640;
}  // namespace

struct CalculatorConstraints::Vocabulary {
  Vocabulary(const Tokenizer& tokenizer, int64_t vocab_size) : texts(static_cast<size_t>(vocab_size)) {
    behind_result.resize(texts.size());
    for (size_t token = 0; token < texts.size() && token < static_cast<size_t>(tokenizer.size()); ++token) {
      const std::array<int32_t, 1> one = {static_cast<int32_t>(token)};
      texts[token] = tokenizer.decode(one);
      behind_result[token] = leaves_number(texts[token]);
      if (!texts[token].empty()) by_byte[static_cast<unsigned char>(texts[token][0])].push_back(one[0]);
    }
  }

  std::string_view text(int32_t token) const { return texts.at(static_cast<size_t>(token)); }

  std::vector<std::string> texts;                 // Empty: it has no bytes.
  std::array<std::vector<int32_t>, 256> by_byte;  // Tokens by their first byte.
  std::vector<bool> behind_result;                // Those that may follow a result.
};

/// Follows one answer.
class CalculatorConstraints::Restriction {
 public:
  explicit Restriction(std::shared_ptr<const Vocabulary> vocabulary) : vocabulary_(std::move(vocabulary)) {}

  NextTokens operator()(std::span<const int32_t> answer) {
    const std::optional<OpenEquation> open = open_equation(tail(answer));
    if (!open) return {};
    const bool may_end = open->is_complete();
    if (may_end) {
      allowed_ = vocabulary_->behind_result;
    } else {
      allowed_.assign(vocabulary_->texts.size(), false);
    }
    bool has_any = may_end;
    for (const char byte : open->next_bytes()) {
      for (const int32_t token : vocabulary_->by_byte[static_cast<unsigned char>(byte)]) {
        if (!open->may_go_on(vocabulary_->text(token))) continue;
        allowed_[static_cast<size_t>(token)] = true;
        has_any = true;
      }
    }
    if (!has_any) return {};  // No token writes it.
    return {.allowed = &allowed_};
  }

  // Whether a token that follows an answer is part of a result.
  bool writes(std::span<const int32_t> answer, int32_t token) const {
    const std::optional<OpenEquation> open = open_equation(tail(answer));
    return open && open->writes(vocabulary_->text(token));
  }

 private:
  std::string tail(std::span<const int32_t> answer) const {
    size_t bytes = 0;
    size_t first = answer.size();
    while (first > 0 && bytes < kTail) bytes += vocabulary_->text(answer[--first]).size();
    std::string text;
    for (const int32_t token : answer.subspan(first)) text += vocabulary_->text(token);
    return text;
  }

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<bool> allowed_;
};

CalculatorConstraints::CalculatorConstraints(const Tokenizer& tokenizer, int64_t vocab_size)
    : vocabulary_(std::make_shared<const Vocabulary>(tokenizer, vocab_size)) {}

CalculatorConstraints::~CalculatorConstraints() = default;

Constraint CalculatorConstraints::make() const { return Restriction(vocabulary_); }

std::vector<bool> CalculatorConstraints::written(std::span<const int32_t> answer) const {
  const Restriction restriction(vocabulary_);
  std::vector<bool> written;
  for (size_t i = 0; i < answer.size(); ++i) written.push_back(restriction.writes(answer.first(i), answer[i]));
  return written;
}

}  // namespace tinyllm
