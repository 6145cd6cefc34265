#include <tinyllm/train/eval/report.h>

#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

namespace tinyllm {
extern const std::string_view kEvaluationPage;  // page/, with {{results}} where the numbers go.
}

namespace tinyllm::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kMostBytes = 190'000;
constexpr size_t kMostKinds = 100, kMostSets = 50, kMostScores = 100, kMostSettings = 100;
// The scores that are also shown by kind.
const std::set<std::string> kByKind = {"greedy", "forced", "vote_5", "letter", "letter_rotated", "text_per_character"};

std::string cut(const std::string& text) { return short_name(text); }

OrderedJson row_of(const Metric& metric) {
  OrderedJson row = OrderedJson::array();
  for (const double value : {metric.value, metric.interval.low, metric.interval.high}) {
    row.push_back(std::round(1e4 * value) / 1e4);
  }
  row.push_back(metric.count);
  return row;
}

OrderedJson rows_of(const std::vector<Metric>& metrics, bool are_few) {
  OrderedJson rows = OrderedJson::object();
  for (const Metric& metric : metrics) {
    if (rows.size() < kMostScores && (!are_few || kByKind.contains(metric.name)))
      rows[cut(metric.name)] = row_of(metric);
  }
  return rows;
}

std::string data_of(const Summary& summary, size_t most_sets, size_t most_kinds) {
  OrderedJson settings = OrderedJson::object(), sets = OrderedJson::array();
  for (const auto& [name, value] : summary.info.settings) {
    if (settings.size() < kMostSettings) settings[cut(name)] = cut(value);
  }
  for (size_t i = 0; i < std::min(most_sets, summary.sets.size()); ++i) {
    const SetSummary& set = summary.sets[i];
    OrderedJson one = {{"name", cut(set.info.name)}, {"task", cut(set.info.task)}, {"questions", set.info.questions},
                       {"answered", set.answered},   {"seen", set.info.seen},      {"chance", set.chance}};
    if (set.is_text()) {
      one.update({{"perplexity", set.perplexity()}, {"bits_per_byte", set.bits_per_byte()}, {"tokens", set.tokens}});
    }
    one["scores"] = rows_of(set.metrics, false);
    OrderedJson kinds = OrderedJson::object();
    for (const auto& [kind, metrics] : set.kinds) {
      if (kinds.size() < most_kinds) kinds[cut(kind)] = rows_of(metrics, true);
    }
    one["kinds"] = kinds;
    sets.push_back(std::move(one));
  }
  OrderedJson all = {{"model", cut(summary.info.model)}, {"settings", settings}, {"sets", sets}};
  const std::string text = all.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string report_page(const Summary& summary) {
  constexpr std::string_view kMark = "{{results}}";
  const size_t mark = kEvaluationPage.find(kMark);
  size_t sets = kMostSets, kinds = kMostKinds;
  std::string data = data_of(summary, sets, kinds);
  while (data.size() + kEvaluationPage.size() > kMostBytes && sets > 1) {
    kinds /= 2;
    if (kinds == 0) sets /= 2;
    data = data_of(summary, sets, kinds);
  }
  return std::string(kEvaluationPage.substr(0, mark)) + data + std::string(kEvaluationPage.substr(mark + kMark.size()));
}

}  // namespace tinyllm::eval
