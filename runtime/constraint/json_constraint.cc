#include <tinyllm/runtime/constraint/json_constraint.h>

#include <tinyllm/runtime/constraint/json_schema.h>
#include <tinyllm/runtime/constraint/token_masks.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <list>
#include <mutex>

namespace tinyllm {
namespace {

constexpr size_t kMaxForms = 64;
constexpr size_t kMaxBytes = size_t{32} << 20;

// Follows one answer. A copy follows another one.
class JsonConstraint {
 public:
  JsonConstraint(std::shared_ptr<TokenMasks> masks, int64_t close_within)
      : masks_(std::move(masks)), close_within_(close_within) {}

  NextTokens operator()(std::span<const int32_t> answer) {
    follow(answer);
    const std::shared_ptr<const TokenMask> mask = masks_->mask(state_);
    const int64_t left = close_within_ - std::ssize(answer) - 1;  // After this token.
    const bool must_close = close_within_ > 0 && mask->longest_closing > left;
    const size_t size = masks_->vocabulary().size();
    allowed_ = must_close ? masks_->closing_mask(state_, left).bits(size) : mask->bits(size);
    if (std::find(allowed_.begin(), allowed_.end(), true) == allowed_.end()) {
      throw Error("constraint: no token can follow {} tokens", answer.size());
    }
    return {.allowed = &allowed_};
  }

 private:
  // An answer is mostly the last one with one more token.
  void follow(std::span<const int32_t> answer) {
    const bool goes_on = read_.size() <= answer.size() && std::equal(read_.begin(), read_.end(), answer.begin());
    if (read_.empty() || !goes_on) {
      read_.clear();
      state_ = masks_->matcher().begin();
    }
    for (const int32_t token : answer.subspan(read_.size())) {
      for (const char byte : masks_->vocabulary().bytes(token)) {
        if (!masks_->matcher().read(state_, static_cast<unsigned char>(byte), next_)) {
          throw Error("constraint: token {} of the answer does not keep to it", read_.size());
        }
        std::swap(state_, next_);
      }
      read_.push_back(token);
    }
  }

  std::shared_ptr<TokenMasks> masks_;
  int64_t close_within_;
  std::vector<int32_t> read_;
  JsonState state_, next_;
  std::vector<bool> allowed_;
};

// Equal for equal forms alone.
std::string key_of(const AnswerForm& form) {
  std::string key = form.may_end_in_free ? "1" : "0";
  const auto add = [&](const std::string& text) { key += fmt::format("{}:{}", text.size(), text); };
  add(form.end);
  add(form.again);
  for (const AnswerForm::FreePart& part : form.free) {
    add(part.begin);
    add(part.until);
    add(fmt::format("{} {}", part.line_feeds, part.is_thought));
  }
  key += '|';
  for (const AnswerForm::Choice& choice : form.choices) {
    add(choice.begin);
    add(choice.schema);
    add(choice.what);
    add(choice.is_strict ? "strict" : "");
  }
  return key;
}

}  // namespace

struct JsonConstraints::State {
  State(const Tokenizer& its_tokenizer, int64_t size) : tokenizer(its_tokenizer), vocab_size(size) {}

  const Tokenizer& tokenizer;
  int64_t vocab_size;
  std::once_flag is_ready;
  std::shared_ptr<const ConstraintVocabulary> vocabulary;

  struct Kept {
    std::string key;
    std::shared_ptr<TokenMasks> masks;
    size_t bytes() const {
      return key.size() + masks->grammar().bytes() + TokenMasks::kMaxKeptBytes + ClosingTokens::kMaxKeptBytes;
    }
  };
  std::mutex mutex;
  std::list<Kept> kept;  // The last used one first.
  size_t bytes = 0;

  std::shared_ptr<TokenMasks> find(const std::string& key) {
    const std::lock_guard lock(mutex);
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const Kept& form) { return form.key == key; });
    if (found == kept.end()) return nullptr;
    kept.splice(kept.begin(), kept, found);
    return found->masks;
  }

  void keep(std::string key, std::shared_ptr<TokenMasks> masks) {
    const std::lock_guard lock(mutex);
    kept.push_front({std::move(key), std::move(masks)});
    bytes += kept.front().bytes();
    while (kept.size() > kMaxForms || bytes > kMaxBytes) {
      bytes -= kept.back().bytes();
      kept.pop_back();
    }
  }
};

JsonConstraints::JsonConstraints(const Tokenizer& tokenizer, int64_t vocab_size)
    : state_(std::make_unique<State>(tokenizer, vocab_size)) {}

JsonConstraints::~JsonConstraints() = default;

Constraint JsonConstraints::make(const AnswerForm& form, int64_t close_within) const {
  std::string key = key_of(form);
  std::shared_ptr<TokenMasks> masks = state_->find(key);
  if (masks == nullptr) {
    std::call_once(state_->is_ready, [&] {
      state_->vocabulary = std::make_shared<const ConstraintVocabulary>(state_->tokenizer, state_->vocab_size);
    });
    masks = std::make_shared<TokenMasks>(compile_form(form), state_->vocabulary);
    state_->keep(std::move(key), masks);
  }
  if (close_within > 0) {
    const int64_t shortest = masks->closing_tokens(masks->matcher().begin());
    if (shortest > close_within) {
      throw Error("constraint: the shortest answer needs {} tokens, and at most {} are allowed", shortest,
                  close_within);
    }
  }
  return JsonConstraint(std::move(masks), close_within);
}

}  // namespace tinyllm
