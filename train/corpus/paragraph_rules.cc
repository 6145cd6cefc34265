#include <tinyllm/train/corpus/paragraph_rules.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/mojibake.h>
#include <tinyllm/train/corpus/rules.h>

#include <algorithm>
#include <array>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr int64_t kHanWeight = 3;  // A Chinese character says about as much as three letters.

constexpr std::array<std::string_view, 6> kLanguages = {"zh", "en", "ja", "ko", "european", "other"};

// A word between blanks or Chinese characters, as it is read.
struct Word {
  int64_t characters = 0;
  int64_t symbols = 0;

  void end(CharacterCounts& counts) {
    if (symbols > 0) counts.machine += characters;
    *this = {};
  }
};

void count_ascii(char32_t c, CharacterCounts& counts, Word& word) {
  if (c == ' ') {
    ++counts.blank;
    word.end(counts);
    return;
  }
  ++word.characters;
  if (is_latin(c)) {
    ++counts.latin;
  } else if (is_digit(c)) {
    ++counts.digits;
  } else if (!is_prose_punctuation(c)) {
    ++counts.symbols;
    if (c != '_' && c != '~') ++word.symbols;  // Prose has snake_case and 3~5.
  }
}

// The most frequent short words, without those that English shares with its neighbours.
constexpr std::array<std::string_view, 16> kEnglish = {"the", "of",  "and", "to", "is",   "that", "it",  "with",
                                                       "for", "was", "you", "be", "this", "are",  "not", "have"};
constexpr std::array<std::string_view, 19> kEuropean = {"de",  "la",  "le", "les", "et",  "que", "el",
                                                        "los", "las", "un", "una", "der", "und", "den",
                                                        "das", "ist", "di", "il",  "che"};

// How many more words of a text are English than of neighbouring languages.
int64_t english_lead(std::string_view text) {
  int64_t lead = 0;
  std::array<char, 4> word{};
  size_t size = 0;
  const auto end_word = [&] {
    const std::string_view w(word.data(), std::min(size, word.size()));
    if (size > 0 && size <= word.size()) {
      if (std::find(kEnglish.begin(), kEnglish.end(), w) != kEnglish.end()) ++lead;
      if (std::find(kEuropean.begin(), kEuropean.end(), w) != kEuropean.end()) --lead;
    }
    size = 0;
  };
  for (const char c : text) {
    const char l = lower_case(c);
    const bool in_word = is_ascii_letter(l) || static_cast<unsigned char>(l) >= 0x80;
    if (!in_word) {
      end_word();
      continue;
    }
    if (size < word.size()) word[size] = l;
    ++size;
  }
  end_word();
  return lead;
}

}  // namespace

CharacterCounts count_characters(std::string_view paragraph) {
  CharacterCounts counts;
  Word word;
  for (size_t at = 0; at < paragraph.size();) {
    const char32_t c = next_character(paragraph, at);
    ++counts.characters;
    if (c < 0x80) {
      count_ascii(c, counts, word);
      continue;
    }
    if (is_latin(c)) {
      ++counts.latin;
      ++word.characters;
      continue;
    }
    word.end(counts);
    if (is_han(c)) {
      ++counts.han;
    } else if (is_kana(c)) {
      ++counts.kana;
    } else if (is_hangul(c)) {
      ++counts.hangul;
    } else if (is_other_letter(c)) {
      ++counts.other;
    } else if (!is_prose_punctuation(c)) {
      ++counts.symbols;
      ++counts.machine;
    }
  }
  word.end(counts);
  return counts;
}

std::string_view guess_language(std::string_view paragraph, const CharacterCounts& counts) {
  const int64_t letters = counts.letters();
  if (letters < 10) return "";
  const int64_t east = counts.han + counts.kana + counts.hangul;
  if (kHanWeight * east < counts.latin || east < counts.other) {
    if (counts.other > counts.latin) return "other";
    return letters >= 60 && english_lead(paragraph) < -2 ? "european" : "en";
  }
  if (counts.hangul * 3 > east) return "ko";
  if (counts.kana * 5 > east) return "ja";
  return "zh";
}

double repeated_share(std::string_view paragraph) {
  constexpr size_t kSlots = 2048;
  constexpr uint32_t kWindow = 1000;  // Then the table is cleared, so that it stays small.
  std::array<uint32_t, kSlots> seen{};
  uint32_t last_four[4] = {};
  int64_t all = 0;
  int64_t repeated = 0;
  uint32_t index = 0;
  for (size_t at = 0; at < paragraph.size(); ++index) {
    const auto c = static_cast<uint32_t>(next_character(paragraph, at));
    last_four[index % 4] = c;
    if (index < 3) continue;
    if (index % kWindow == 0) seen.fill(0);
    uint32_t hash = 0;
    for (uint32_t i = 1; i <= 4; ++i) hash = hash * 0x9E3779B1u + last_four[(index + i) % 4];
    hash = (hash ^ hash >> 15) * 0x85EBCA77u;
    hash |= 1;  // 0 is a free slot.
    size_t slot = (hash >> 16) % kSlots;
    while (seen[slot] != 0 && seen[slot] != hash) slot = (slot + 1) % kSlots;
    repeated += seen[slot] == hash ? 1 : 0;
    seen[slot] = hash;
    ++all;
  }
  return all == 0 ? 0 : static_cast<double>(repeated) / static_cast<double>(all);
}

ParagraphRules::ParagraphRules(const ParagraphOptions& options) : options_(options), words_(options.words) {
  for (const std::string& language : options_.languages) {
    if (std::find(kLanguages.begin(), kLanguages.end(), language) == kLanguages.end()) {
      throw Error("language {}: unknown, expected one of {}", language, fmt::join(kLanguages, ", "));
    }
  }
}

std::optional<std::string_view> ParagraphRules::judge(std::string_view paragraph, int64_t undecodable) const {
  const CharacterCounts counts = count_characters(paragraph);
  const auto share = [](int64_t part, int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  // A single one is tolerated whatever its fraction.
  if (undecodable > 1 && share(undecodable, undecodable + counts.characters) > options_.max_undecodable)
    return kRuleUndecodable;
  if (counts.characters > options_.max_characters) return kRuleTooLong;
  if (counts.letters() + counts.digits < options_.min_letters) return kRuleTooShort;
  if (options_.mojibake && looks_like_mojibake(paragraph)) return kRuleMojibake;
  const int64_t weight = counts.characters - counts.blank + (kHanWeight - 1) * counts.han;
  if (share(counts.machine, weight) > options_.max_symbols) return kRuleSymbols;
  if (options_.boilerplate && is_boilerplate(paragraph, counts)) return kRuleBoilerplate;
  if (words_.found_in(paragraph)) return kRuleWordList;
  if (!options_.languages.empty()) {
    const std::string_view language = guess_language(paragraph, counts);
    const auto& kept = options_.languages;
    if (!language.empty() && std::find(kept.begin(), kept.end(), language) == kept.end()) return kRuleLanguage;
  }
  constexpr int64_t kJudged = 60;  // Shorter paragraphs repeat themselves in songs and in speech.
  if (options_.max_repeated < 1 && counts.characters >= kJudged && repeated_share(paragraph) > options_.max_repeated)
    return kRuleRepetitive;
  return std::nullopt;
}

}  // namespace tinyllm::corpus
