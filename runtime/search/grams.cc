#include <tinyllm/runtime/search/grams.h>

#include <tinyllm/runtime/search/fold.h>
#include <tinyllm/tensor/base/utf8.h>

#include <xxhash.h>

#include <algorithm>
#include <unordered_set>

namespace tinyllm::search {
namespace {

constexpr Gram kWord = Gram{1} << 62;
constexpr int kPairShift = 21;    // No character needs more bits.
constexpr size_t kMaxParts = 16;  // Of one word. Random letters, as in a key, have hundreds.

// Calls f(Folded) for the characters of a text, each of which may become several.
template <class F>
void for_each_folded(std::string_view text, F f) {
  const Folding& folding = Folding::table();
  size_t valid = valid_utf8(text);
  for (size_t at = 0; at < text.size();) {
    if (at == valid) {
      f(Folded{});
      ++at;
      valid = at + valid_utf8(text.substr(at));
      continue;
    }
    folding.fold(next_character(text, at), f);
  }
}

Gram word_gram(std::u32string_view word) {
  return kWord | (XXH3_64bits(word.data(), word.size() * sizeof(char32_t)) >> 2);
}

// Collects the letters and digits of a word of a script with blanks, and where it can be divided.
class Word {
 public:
  void add(const Folded& c) {
    const bool is_digit = c.character >= '0' && c.character <= '9';
    if (!letters_.empty() && (joined_ || is_digit != was_digit_ || (c.was_upper && !was_upper_))) {
      starts_.push_back(letters_.size());
    }
    letters_ += c.character;
    joined_ = false;
    was_digit_ = is_digit;
    was_upper_ = c.was_upper;
  }
  // A hyphen or the like. Ends the word if nothing follows it.
  bool join() {
    if (letters_.empty() || joined_) return false;
    joined_ = true;
    return true;
  }
  void finish(std::vector<Gram>& grams) {
    if (letters_.empty()) return;
    grams.push_back(word_gram(letters_));
    if (!starts_.empty()) {
      starts_.push_back(letters_.size());
      size_t start = 0;
      for (size_t i = 0; i < std::min(starts_.size(), kMaxParts); ++i) {
        grams.push_back(word_gram(std::u32string_view(letters_).substr(start, starts_[i] - start)));
        start = starts_[i];
      }
    }
    letters_.clear();
    starts_.clear();
    joined_ = was_digit_ = was_upper_ = false;
  }

 private:
  std::u32string letters_;
  std::vector<size_t> starts_;
  bool joined_ = false;
  bool was_digit_ = false;
  bool was_upper_ = false;
};

// What asks or holds a sentence together, and so says nothing about the place of an answer.
constexpr std::string_view kStopTerms =
    "的 了 是 在 有 和 与 及 或 被 把 对 为 以 于 从 到 这 那 哪 谁 几 何 么 吗 呢 吧 啊 也 都 就 个 些 什 怎 请 问 其 "
    "之 "
    "什么 怎么 怎样 哪个 哪些 哪里 哪位 哪一 多少 如何 为何 请问 是什 是谁 是哪 是多 的是 么是 谁是 有哪 有什 是怎 "
    "是在 在哪 "
    "是如 是何 是几 有几 有多 被称 称为 "
    "a an the of in on at to for and or is are was were be been by with from as that this it its what which who whom "
    "whose when where why how do does did has have had there";

const std::unordered_set<Gram>& stop_grams() {
  static const std::unordered_set<Gram> all = [] {
    std::unordered_set<Gram> grams;
    std::vector<Gram> of_term;
    for (size_t at = 0; at < kStopTerms.size();) {
      const size_t end = std::min(kStopTerms.find(' ', at), kStopTerms.size());
      of_term.clear();
      append_grams(kStopTerms.substr(at, end - at), of_term);
      grams.insert(of_term.back());  // Of two characters: the pair, which comes after its first and second.
      at = end + 1;
    }
    return grams;
  }();
  return all;
}

}  // namespace

std::u32string folded(std::string_view text) {
  std::u32string out;
  for_each_folded(text, [&](const Folded& c) {
    if (c.kind == CharacterKind::word || c.kind == CharacterKind::wide) {
      out += c.character;
    } else if (c.kind != CharacterKind::ignored && !out.empty() && out.back() != ' ') {
      out += U' ';
    }
  });
  return out;
}

void append_grams(std::string_view text, std::vector<Gram>& grams) {
  Word word;
  char32_t last = 0;  // The wide character before, if there is one.
  for_each_folded(text, [&](const Folded& c) {
    switch (c.kind) {
      case CharacterKind::wide:
        word.finish(grams);
        grams.push_back(c.character);
        if (last != 0) grams.push_back(pair_of(last, c.character));
        last = c.character;
        return;
      case CharacterKind::word:
        word.add(c);
        break;
      case CharacterKind::joiner:
        if (!word.join()) word.finish(grams);
        break;
      case CharacterKind::blank:
        word.finish(grams);
        break;
      case CharacterKind::ignored:
        return;
    }
    last = 0;
  });
  word.finish(grams);
}

Gram pair_of(char32_t first, char32_t second) { return Gram{first} << kPairShift | second; }

std::vector<Gram> question_grams(std::string_view question, size_t most) {
  std::vector<Gram> all;
  append_grams(question, all);
  std::unordered_set<Gram> seen;
  std::erase_if(all, [&](Gram gram) { return !seen.insert(gram).second; });
  std::vector<Gram> telling = all;
  std::erase_if(telling, [](Gram gram) { return stop_grams().count(gram) != 0; });
  std::vector<Gram>& chosen = telling.empty() ? all : telling;
  if (chosen.size() > most) chosen.resize(most);
  return std::move(chosen);
}

}  // namespace tinyllm::search
