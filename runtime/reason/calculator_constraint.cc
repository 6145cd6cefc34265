#include <tinyllm/runtime/reason/calculator_constraint.h>
#include <tinyllm/runtime/reason/open_equation.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace tinyllm {
namespace {
// What an equation may need at its end; more of an answer is not looked at.
constexpr size_t kTail = 640;
// What may stand behind a result (OpenEquation::behind).
constexpr std::array<std::string_view, 4> kBehind = {"", ".", ",", " "};
}  // namespace

struct CalculatorConstraints::Vocabulary {
  Vocabulary(const Tokenizer& tokenizer, int64_t vocab_size) : texts(static_cast<size_t>(vocab_size)) {
    known.resize(texts.size());
    for (auto& mask : behind) mask.resize(texts.size());
    for (size_t token = 0; token < texts.size() && token < static_cast<size_t>(tokenizer.size()); ++token) {
      const std::array<int32_t, 1> one = {static_cast<int32_t>(token)};
      texts[token] = tokenizer.decode(one);
      known[token] = true;
      for (size_t i = 0; i < kBehind.size(); ++i)
        behind[i][token] = leaves_number(std::string(kBehind[i]) + texts[token]);
      if (!texts[token].empty()) by_byte[static_cast<unsigned char>(texts[token][0])].push_back(one[0]);
      const size_t right = right_side(one[0]);
      if (right != 0) with_right_side[texts[token].substr(0, right)].push_back(one[0]);
    }
  }

  std::string_view text(int32_t token) const { return texts.at(static_cast<size_t>(token)); }

  // Where the right side begins in a token such as "=1" and ")=1" that has some of it; 0 for others.
  size_t right_side(int32_t token) const {
    const std::string_view all = text(token);
    const size_t right = all.rfind('=') + 1;
    const bool is_equation =
        all.substr(0, right).find_first_not_of("0123456789.()[]{}%+-*/ =") == std::string_view::npos;
    return right < all.size() && is_equation ? right : 0;
  }

  std::vector<std::string> texts;                               // Empty: it has no bytes.
  std::vector<bool> known;                                      // Rows that have a token.
  std::array<std::vector<int32_t>, 256> by_byte;                // Tokens by their first byte.
  std::array<std::vector<bool>, kBehind.size()> behind;         // Tokens that may follow a result and this.
  std::map<std::string, std::vector<int32_t>> with_right_side;  // Tokens by what they have up to "=".
};

/// Follows one answer.
class CalculatorConstraints::Restriction {
 public:
  Restriction(std::shared_ptr<const Vocabulary> vocabulary, std::string_view begun)
      : vocabulary_(std::move(vocabulary)), begun_(last(begun, kTail)) {}

  NextTokens operator()(std::span<const int32_t> answer) {
    const std::string text = tail(answer);
    const bool is_open = keep_results(text);
    if (!is_open) allowed_ = vocabulary_->known;
    const bool begins = drop_false_beginnings(text);
    return {.allowed = is_open || begins ? &allowed_ : nullptr};
  }

  // Whether a token that follows an answer has part of a result.
  bool writes(std::span<const int32_t> answer, int32_t token) const {
    std::string text = tail(answer);
    std::string_view more = vocabulary_->text(token);
    if (const size_t right = vocabulary_->right_side(token); right != 0) {
      text += more.substr(0, right);
      more.remove_prefix(right);
    }
    const std::optional<OpenEquation> open = open_equation(text);
    return open && open->writes(more);
  }

 private:
  // Allows what may follow where an equation is open; false if none is, or no token can write its result.
  bool keep_results(std::string_view text) {
    const std::optional<OpenEquation> open = open_equation(text);
    if (!open) return false;
    const std::optional<std::string> behind = open->behind();
    bool has_any = behind.has_value();
    if (behind) {
      const auto* which = std::find(kBehind.begin(), kBehind.end(), *behind);
      allowed_ = vocabulary_->behind[static_cast<size_t>(which - kBehind.begin())];
    } else {
      allowed_.assign(vocabulary_->texts.size(), false);
    }
    for (const char byte : open->next_bytes()) {
      for (const int32_t token : vocabulary_->by_byte[static_cast<unsigned char>(byte)]) {
        if (!open->may_go_on(vocabulary_->text(token))) continue;
        allowed_[static_cast<size_t>(token)] = true;
        has_any = true;
      }
    }
    return has_any;
  }

  // Drops tokens that have "=" and the beginning of a wrong result; false if there are none.
  bool drop_false_beginnings(const std::string& text) {
    bool dropped = false;
    if (text.empty() || std::string_view("0123456789)]}% ").find(text.back()) == std::string_view::npos) return false;
    for (const auto& [left, tokens] : vocabulary_->with_right_side) {
      const std::optional<OpenEquation> open = open_equation(text + left);
      if (!open) continue;
      for (const int32_t token : tokens) {
        if (open->may_go_on(vocabulary_->text(token).substr(left.size()))) continue;
        allowed_[static_cast<size_t>(token)] = false;
        dropped = true;
      }
    }
    return dropped;
  }

  static std::string_view last(std::string_view text, size_t bytes) {
    return text.substr(text.size() - std::min(text.size(), bytes));
  }

  std::string tail(std::span<const int32_t> answer) const {
    size_t bytes = 0;
    size_t first = answer.size();
    while (first > 0 && bytes < kTail) bytes += vocabulary_->text(answer[--first]).size();
    std::string text(bytes < kTail ? last(begun_, kTail - bytes) : "");
    for (const int32_t token : answer.subspan(first)) text += vocabulary_->text(token);
    return text;
  }

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::string begun_;  // The end of what the prompt has of the answer.
  std::vector<bool> allowed_;
};

CalculatorConstraints::CalculatorConstraints(const Tokenizer& tokenizer, int64_t vocab_size)
    : vocabulary_(std::make_shared<const Vocabulary>(tokenizer, vocab_size)) {}

CalculatorConstraints::~CalculatorConstraints() = default;

Constraint CalculatorConstraints::make(std::string_view begun) const { return Restriction(vocabulary_, begun); }

std::vector<bool> CalculatorConstraints::written(std::span<const int32_t> answer, std::string_view begun) const {
  const Restriction restriction(vocabulary_, begun);
  std::vector<bool> written;
  for (size_t i = 0; i < answer.size(); ++i) written.push_back(restriction.writes(answer.first(i), answer[i]));
  return written;
}

}  // namespace tinyllm
