#pragma once

#include <tinyllm/train/corpus/word_finder.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// When a paragraph is dropped. Fractions are of 1. Each comment names the value that switches the rule off.
struct ParagraphOptions {
  int64_t min_letters = 2;         ///< Letters and digits; 0: off.
  int64_t max_characters = 20000;  ///< Blanks included; a longer one is cut at ends of sentences (sentences.h).
  double max_symbols = 0.6;   ///< Fraction of symbols, addresses and code; Chinese characters count thrice; 1: off.
  double max_repeated = 0.6;  ///< Fraction of sequences of four characters that came before in the paragraph; 1: off.
  double max_undecodable = 0.02;                      ///< Fraction of characters that could not be decoded; 1: off.
  bool mojibake = true;                               ///< Text that was decoded with the wrong encoding is dropped.
  bool boilerplate = true;                            ///< Navigation, notices and advertisements are dropped.
  std::vector<std::string> languages = {"zh", "en"};  ///< Kept: zh, en, ja, ko, european, other; empty: all.
  std::vector<std::string> words;                     ///< A paragraph with one of these words is dropped.
};

/// What a paragraph consists of, in characters.
struct CharacterCounts {
  int64_t characters = 0;
  int64_t blank = 0;
  int64_t han = 0;
  int64_t latin = 0;
  int64_t kana = 0;
  int64_t hangul = 0;
  int64_t other = 0;  ///< Letters of other scripts.
  int64_t digits = 0;
  int64_t symbols = 0;  ///< Not letters, digits or the punctuation of prose.
  int64_t machine = 0;  ///< In words with symbols, as in addresses, paths and code, symbols included.

  int64_t letters() const { return han + latin + kana + hangul + other; }
};
CharacterCounts count_characters(std::string_view paragraph);

/// The language of a paragraph: "zh", "en", "ja", "ko", "european" or "other"; empty when it has too few letters to
/// tell. It is judged by the script, and for the Latin script by function words.
std::string_view guess_language(std::string_view paragraph, const CharacterCounts& counts);

/// The fraction of sequences of four characters that came before within about a thousand characters.
double repeated_share(std::string_view paragraph);

/// Whether a paragraph is navigation, a notice of copyright or of sources, an advertisement or a line of a script: a
/// short paragraph with a phrase that hardly occurs elsewhere.
bool is_boilerplate(std::string_view paragraph, const CharacterCounts& counts);

/// Judges paragraphs. Several threads may use one object at the same time.
class ParagraphRules {
 public:
  /// Throws Error for an unknown language.
  explicit ParagraphRules(const ParagraphOptions& options);

  /// The rule that drops a normalised paragraph; none when it is kept. `undecodable` characters were removed from it
  /// before.
  std::optional<std::string_view> judge(std::string_view paragraph, int64_t undecodable) const;

 private:
  ParagraphOptions options_;
  WordFinder words_;
};

}  // namespace tinyllm::corpus
