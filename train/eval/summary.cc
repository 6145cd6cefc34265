#include <tinyllm/train/eval/summary.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <set>

namespace tinyllm::eval {
namespace {

// The metrics in the order in which they are read; others follow by name.
constexpr const char* kOrder[] = {"greedy",
                                  "greedy_strict",
                                  "template",
                                  "equations",
                                  "greedy_checked",
                                  "greedy_corrected",
                                  "forced",
                                  "forced_strict",
                                  "sampled",
                                  "vote_3",
                                  "vote_3_checked",
                                  "vote_3_corrected",
                                  "vote_5",
                                  "vote_5_checked",
                                  "vote_5_corrected",
                                  "vote_7",
                                  "vote_7_checked",
                                  "vote_7_corrected",
                                  "pass_3",
                                  "pass_5",
                                  "pass_7",
                                  "forced_sampled",
                                  "forced_vote_3",
                                  "forced_vote_5",
                                  "forced_vote_7",
                                  "forced_pass_3",
                                  "forced_pass_5",
                                  "forced_pass_7",
                                  "letter",
                                  "letter_rotated",
                                  "text",
                                  "text_per_character",
                                  "text_per_byte",
                                  "text_pmi"};

constexpr size_t kFewestKinds = 5;   // Fewer say nothing about others.
constexpr size_t kMostKinds = 1000;  // More are not shown one by one.

bool comes_before(const std::string& a, const std::string& b) {
  const auto place = [](const std::string& name) { return std::ranges::find(kOrder, name) - std::begin(kOrder); };
  return std::pair(place(a), a) < std::pair(place(b), b);
}

bool is_rate(const std::vector<double>& values) {
  return std::ranges::all_of(values, [](double value) { return value == 0 || value == 1; });
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Metric metric_of(const std::string& name, const std::vector<double>& values) {
  Metric metric{name, mean(values), std::ssize(values), {}};
  metric.interval =
      is_rate(values) ? wilson(std::ranges::count(values, 1.0), std::ssize(values)) : bootstrap_mean(values);
  return metric;
}

struct Column {
  std::vector<double> values;
  std::vector<size_t> kinds;  // By index.
  std::map<std::string, std::vector<double>> by_kind;
};

void add_metrics(const std::vector<const Result*>& results, SetSummary& summary) {
  std::map<std::string, size_t> kinds;
  std::map<std::string, Column, decltype(&comes_before)> columns(comes_before);
  for (const Result* result : results) {
    const size_t kind = kinds.try_emplace(result->kind, kinds.size()).first->second;
    for (const auto& [name, score] : result->scores) {
      Column& column = columns[name];
      column.values.push_back(score);
      column.kinds.push_back(kind);
      column.by_kind[result->kind].push_back(score);
    }
    summary.chance += result->chance / static_cast<double>(results.size());
  }
  for (const auto& [name, column] : columns) {
    summary.metrics.push_back(metric_of(name, column.values));
    if (kinds.size() >= kFewestKinds) {
      const Interval plain = summary.metrics.back().interval, drawn = bootstrap_mean(column.values, column.kinds);
      summary.over_kinds.push_back({std::min(plain.low, drawn.low), std::max(plain.high, drawn.high)});
    }
    if (kinds.size() < 2 || kinds.size() > kMostKinds) continue;
    for (const auto& [kind, values] : column.by_kind) summary.kinds[kind].push_back(metric_of(name, values));
  }
}

double score_or_zero(const Result& result, const char* name) {
  const auto found = result.scores.find(name);
  return found == result.scores.end() ? 0 : found->second;
}

void add_text(const std::vector<const Result*>& results, SetSummary& summary) {
  double nats = 0;
  for (const Result* result : results) {
    nats += score_or_zero(*result, "nats");
    summary.tokens += std::llround(score_or_zero(*result, "tokens"));
    summary.bytes += std::llround(score_or_zero(*result, "bytes"));
  }
  summary.loss = nats / static_cast<double>(summary.tokens);
}

double bits_of(double nats, double bytes) { return nats / (bytes * std::numbers::ln2); }

std::vector<std::vector<const Result*>> results_by_set(const Run& run) {
  std::vector<std::vector<const Result*>> all(run.info.sets.size());
  for (const Result& result : run.results) all.at(result.set).push_back(&result);
  return all;
}

// The scores that both runs have of one set, by metric, in pairs.
using Pairs = std::map<std::string, std::vector<std::pair<double, double>>, decltype(&comes_before)>;
Pairs pairs_of(const std::vector<const Result*>& a, const std::vector<const Result*>& b, bool is_text) {
  std::map<size_t, const Result*> of_a;
  for (const Result* result : a) of_a[result->question] = result;
  Pairs pairs(comes_before);
  for (const Result* of_b : b) {
    const auto found = of_a.find(of_b->question);
    if (found == of_a.end()) continue;
    const Result &other = *found->second, &result = *of_b;
    if (is_text) {
      const auto bits = [](const Result& one) {
        return bits_of(score_or_zero(one, "nats"), std::max(1.0, score_or_zero(one, "bytes")));
      };
      pairs["bits_per_byte"].emplace_back(bits(other), bits(result));
      continue;
    }
    for (const auto& [name, score] : result.scores) {
      const auto same = other.scores.find(name);
      if (same != other.scores.end()) pairs[name].emplace_back(same->second, score);
    }
  }
  return pairs;
}

Difference difference_of(const std::string& set, const std::string& metric,
                         const std::vector<std::pair<double, double>>& pairs) {
  Difference found{.set = set, .metric = metric, .count = std::ssize(pairs), .interval = {}};
  std::vector<double> differences, values;
  for (const auto& [a, b] : pairs) {
    found.a += a / static_cast<double>(pairs.size());
    found.b += b / static_cast<double>(pairs.size());
    differences.push_back(b - a);
    values.insert(values.end(), {a, b});
    found.only_a += a == 1 && b == 0;
    found.only_b += a == 0 && b == 1;
  }
  found.interval = bootstrap_mean(differences);
  if (is_rate(values)) found.p = mcnemar(found.only_a, found.only_b);
  return found;
}

}  // namespace

double SetSummary::perplexity() const { return std::exp(loss); }
double SetSummary::bits_per_byte() const {
  return bits_of(loss * static_cast<double>(tokens), static_cast<double>(bytes));
}

Summary summarise(const Run& run) {
  Summary summary{run.info, {}};
  const std::vector<std::vector<const Result*>> by_set = results_by_set(run);
  for (size_t i = 0; i < run.info.sets.size(); ++i) {
    const std::vector<const Result*>& results = by_set[i];
    SetSummary& set = summary.sets.emplace_back(SetSummary{.info = run.info.sets[i]});
    set.answered = std::ssize(results);
    if (results.empty()) continue;
    if (set.is_text()) {
      add_text(results, set);
    } else {
      add_metrics(results, set);
    }
  }
  return summary;
}

std::vector<Difference> compare(const Run& a, const Run& b) {
  std::vector<Difference> found;
  bool has_same = false;
  const auto of_a = results_by_set(a), of_b = results_by_set(b);
  for (size_t i = 0; i < a.info.sets.size(); ++i) {
    const SetInfo& set = a.info.sets[i];
    const auto same = std::ranges::find_if(
        b.info.sets, [&](const SetInfo& other) { return other.hash == set.hash && other.task == set.task; });
    if (same == b.info.sets.end()) continue;
    has_same = true;
    const auto j = static_cast<size_t>(same - b.info.sets.begin());
    for (const auto& [metric, pairs] : pairs_of(of_a[i], of_b[j], set.task == "text")) {
      found.push_back(difference_of(set.name, metric, pairs));
    }
  }
  if (!has_same) throw Error("the two runs have no set of questions in common");
  return found;
}

std::vector<Difference> compare_scores(const Run& run) {
  std::vector<Difference> found;
  const auto by_set = results_by_set(run);
  for (size_t i = 0; i < run.info.sets.size(); ++i) {
    const SetInfo& set = run.info.sets[i];
    std::set<std::string, decltype(&comes_before)> names(comes_before);
    for (const Result* result : by_set[i]) {
      for (const auto& [name, score] : result->scores) names.insert(name);
    }
    if (set.task == "text" || names.size() < 2) continue;
    for (auto name = std::next(names.begin()); name != names.end(); ++name) {
      std::vector<std::pair<double, double>> pairs;
      for (const Result* result : by_set[i]) {
        const auto first = result->scores.find(*names.begin()), other = result->scores.find(*name);
        if (first != result->scores.end() && other != result->scores.end()) {
          pairs.emplace_back(first->second, other->second);
        }
      }
      if (!pairs.empty()) found.push_back(difference_of(set.name, *name, pairs));
    }
  }
  if (found.empty()) throw Error("the run has no two scores to compare");
  return found;
}

}  // namespace tinyllm::eval
