#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/sentences.h>

namespace tinyllm::corpus {
namespace {

// Ends of sentences in scripts that write no blank after them.
bool ends_wide_sentence(char32_t c) {
  return c == U'。' || c == U'！' || c == U'？' || c == U'；' || c == U'…' || c == U'｡' || c == U'．' || c == U'।';
}

// These end a sentence where a blank follows: 3.14 and example.org go on.
bool ends_narrow_sentence(char32_t c) { return c == '.' || c == '!' || c == '?' || c == U'؟' || c == U'۔'; }

bool closes_quote(char32_t c) {
  return c == '"' || c == '\'' || c == ')' || c == ']' || c == U'”' || c == U'’' || c == U'」' || c == U'』' ||
         c == U'）' || c == U'】' || c == U'》' || c == U'»' || c == U'›';
}

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == U'\u3000' || c == '\n'; }

}  // namespace

size_t sentence_cut(std::string_view text, int64_t most) {
  enum class State { within, after_narrow, after_wide };
  State state = State::within;
  size_t sentence = 0;
  size_t blank = 0;
  size_t at = 0;
  int64_t n = 0;
  for (; n < most && at < text.size(); ++n) {
    const size_t start = at;
    const char32_t c = next_character(text, at);
    const bool may_cut = 2 * n > most;
    if (state == State::after_wide && !closes_quote(c) && !ends_wide_sentence(c)) {
      if (may_cut) sentence = start;
      state = State::within;
    }
    if (state == State::after_narrow && is_blank(c) && may_cut) sentence = at;
    if (is_blank(c) && may_cut) blank = at;
    if (ends_wide_sentence(c)) {
      state = State::after_wide;
    } else if (ends_narrow_sentence(c)) {
      state = State::after_narrow;
    } else if (!closes_quote(c) && !(state == State::after_narrow && c == U'“')) {  // Which closes in German.
      state = State::within;
    }
  }
  if (at == text.size()) return at;
  if (state == State::after_wide) {
    size_t end = at;
    const char32_t next = next_character(text, end);
    if (!closes_quote(next) && !ends_wide_sentence(next)) return at;
  }
  return sentence > 0 ? sentence : blank > 0 ? blank : at;
}

}  // namespace tinyllm::corpus
