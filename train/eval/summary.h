#pragma once

#include <tinyllm/train/eval/results.h>
#include <tinyllm/train/eval/statistics.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm::eval {

/// The mean of a score.
struct Metric {
  std::string name;
  double value = 0;
  int64_t count = 0;  ///< Questions that have this score.
  Interval interval;  ///< Wilson's if the scores are 0 and 1, else by the bootstrap.
};

/// What a model scored in one set.
struct SetSummary {
  SetInfo info;
  int64_t answered = 0;  ///< Questions with results.
  std::vector<Metric> metrics = {};
  /// For a set of 5 kinds or more, the interval of each metric if other kinds had been asked: whole kinds are drawn. At
  /// least the metric's own interval.
  std::vector<Interval> over_kinds = {};
  std::map<std::string, std::vector<Metric>> kinds = {};  ///< If there are 2 to 1000.
  double chance = 0;                                      ///< What guessing scores; 0 if it cannot be said.
  /// Of a text: nats per token, tokens and bytes.
  double loss = 0;
  int64_t tokens = 0, bytes = 0;

  bool is_text() const { return info.task == "text"; }
  double perplexity() const;
  double bits_per_byte() const;
};

/// What a model scored. A function of the results alone.
struct Summary {
  RunInfo info;
  std::vector<SetSummary> sets;
};
Summary summarise(const Run& run);

/// Two scores of the same questions.
struct Difference {
  std::string set;
  std::string metric;
  int64_t count = 0;  ///< Questions that have both.
  double a = 0, b = 0;
  Interval interval;               ///< Of b - a, by the paired bootstrap.
  int64_t only_a = 0, only_b = 0;  ///< Questions that only one of them answered rightly.
  std::optional<double> p = {};    ///< McNemar's exact test, if the scores are 0 and 1.
};
/// Compares what both runs have: the sets with the same questions, and in these the questions with results in both. Of
/// a text it compares bits per byte. Throws Error if they have no set in common.
std::vector<Difference> compare(const Run& a, const Run& b);
/// Compares scores of one run, question by question: in each set of questions the first score in the order of tables
/// (greedy, letter) with all others.
std::vector<Difference> compare_scores(const Run& run);

/// For programs: all numbers.
std::string as_json(const Summary& summary);
std::string as_json(const std::vector<Difference>& differences, const std::string& a, const std::string& b);
/// For people: lines of at most 100 columns.
std::string as_table(const Summary& summary);
std::string as_table(const std::vector<Difference>& differences, const std::string& a, const std::string& b);

}  // namespace tinyllm::eval
