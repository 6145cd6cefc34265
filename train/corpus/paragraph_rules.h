#pragma once

#include <tinyllm/train/corpus/word_finder.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// When a paragraph is dropped. Shares are of 1; a rule is off at the value that its comment names.
struct ParagraphOptions {
  int64_t min_letters = 2;         ///< Letters and digits; 0: off.
  int64_t max_characters = 20000;  ///< Blanks too.
  double max_symbols = 0.6;        ///< Characters of symbols, addresses and code; Chinese ones count thrice; 1: off.
  double max_repeated = 0.6;       ///< Sequences of four characters that have come before in the paragraph; 1: off.
  double max_undecodable = 0.02;   ///< Characters that could not be decoded; 1: off.
  bool mojibake = true;            ///< Text decoded in a wrong way is dropped.
  bool boilerplate = true;         ///< Navigation, notices, advertisement are dropped.
  std::vector<std::string> languages = {"zh", "en"};  ///< Kept: zh, en, ja, ko, european, other; empty: all.
  std::vector<std::string> words;                     ///< A paragraph that holds one of them is dropped.
};

/// What a paragraph is made of, in characters.
struct CharacterCounts {
  int64_t characters = 0;
  int64_t blank = 0;
  int64_t han = 0;
  int64_t latin = 0;
  int64_t kana = 0;
  int64_t hangul = 0;
  int64_t other = 0;  ///< Letters of other scripts.
  int64_t digits = 0;
  int64_t symbols = 0;  ///< Neither letters nor digits nor the punctuation of prose.
  int64_t machine = 0;  ///< In words that hold symbols, as in addresses, paths, code; their symbols too.

  int64_t letters() const { return han + latin + kana + hangul + other; }
};
CharacterCounts count_characters(std::string_view paragraph);

/// The language of a paragraph, by its script, and for the Latin script by which function words it has more of:
/// "zh", "en", "ja", "ko", "european" or "other"; empty when it has too few letters to say.
std::string_view guess_language(std::string_view paragraph, const CharacterCounts& counts);

/// Of all sequences of four characters, the share that has come before within about a thousand characters.
double repeated_share(std::string_view paragraph);

/// Navigation, notices of copyright and of sources, advertisement, lines of script: short paragraphs with phrases that
/// stand in little else.
bool is_boilerplate(std::string_view paragraph, const CharacterCounts& counts);

/// Judges paragraphs. Any number of threads may ask one at once.
class ParagraphRules {
 public:
  /// Throws Error for a language that is not known.
  explicit ParagraphRules(const ParagraphOptions& options);

  /// The rule by which a normalised paragraph is dropped; none when it is kept. `undecodable` characters are already
  /// left out of it.
  std::optional<std::string_view> judge(std::string_view paragraph, int64_t undecodable) const;

 private:
  ParagraphOptions options_;
  WordFinder words_;
};

}  // namespace tinyllm
