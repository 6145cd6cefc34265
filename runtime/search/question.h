#pragma once

#include <tinyllm/runtime/search/bm25.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tinyllm::search {

/// What kind of thing a question asks for.
enum class Wanted : uint8_t { anything, number, time, person, place, reason, definition };

/// What a text has in common with a question.
struct Match {
  uint64_t terms = 0;       ///< A bit for each term of the question that the text has.
  float precision = 0;      ///< The fraction of the text's distinct grams that are terms of the question.
  float run = 0;            ///< The longest run of letters that both have, as a fraction of the question's letters.
  bool has_wanted = false;  ///< The text has a thing of the kind that is asked for, which is not in the question.
  int64_t letters = 0;      ///< Of the text.
};

/// A question, prepared for comparing many texts with it.
class Question {
 public:
  /// `terms` are those that `retrieve` found.
  Question(std::string_view question, const std::vector<Term>& terms);

  Wanted wanted() const { return wanted_; }
  Match match(std::string_view text) const;
  /// The sum of idf of these terms, as a fraction of that of all terms.
  float coverage(uint64_t terms) const;
  /// The same of the terms next to the word that asks: "公司" in "是哪个公司开发的"; 0 if there are none.
  float focus(uint64_t terms) const;
  /// The greatest idf of a term that is not among these, as a fraction of the greatest.
  float rarest_missing(uint64_t terms) const;
  /// The fraction of the text's distinct grams that the question has, among them words of grammar.
  float share_of(std::string_view text) const;

 private:
  std::u32string letters_;  // Folded, without blanks.
  std::unordered_map<Gram, int> index_of_;
  std::vector<double> idf_;
  std::vector<Gram> all_;  // Sorted.
  double sum_ = 0;
  uint64_t focus_ = 0;
  Wanted wanted_ = Wanted::anything;
  std::u32string subject_;  // Of a question for a definition.
};

}  // namespace tinyllm::search
