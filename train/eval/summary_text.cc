// Summaries as JSON and as tables.
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/eval/summary.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace tinyllm::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson list_of(const Interval& interval) { return {interval.low, interval.high}; }

OrderedJson metrics_of(const std::vector<Metric>& metrics, const std::vector<Interval>& over_kinds, double chance) {
  OrderedJson all = OrderedJson::object();
  for (size_t i = 0; i < metrics.size(); ++i) {
    const Metric& metric = metrics[i];
    OrderedJson& one = all[metric.name];
    one = {{"value", metric.value}, {"count", metric.count}, {"interval", list_of(metric.interval)}};
    if (i < over_kinds.size()) one["interval_over_kinds"] = list_of(over_kinds[i]);
    if (chance > 0) one["is_chance"] = metric.interval.contains(chance);
  }
  return all;
}

OrderedJson settings_of(const RunInfo& info) {
  OrderedJson settings = OrderedJson::object();
  for (const auto& [name, value] : info.settings) settings[name] = value;
  return settings;
}

std::string percent(double value) { return fmt::format("{:.1f} %", 100 * value); }
std::string percent(const Interval& interval) {
  return fmt::format("{:.1f} to {:.1f}", 100 * interval.low, 100 * interval.high);
}

// How many columns a text takes on a terminal: two for each character of the wide ones.
size_t columns_of(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) columns += next_character(text, at) >= 0x2E80 ? 2 : 1;
  return columns;
}

std::string padded(std::string text, size_t columns) {
  text = replace_invalid_utf8(text);
  const size_t taken = columns_of(text);
  return text + std::string(columns > taken ? columns - taken : 1, ' ');
}

std::string rows_of(const SetSummary& set) {
  std::string text = fmt::format("  {}{}{}{}\n", padded("score", 24), padded("value", 10), padded("95 %", 18),
                                 set.over_kinds.empty() ? "questions" : padded("over kinds", 18) + "questions");
  for (size_t i = 0; i < set.metrics.size(); ++i) {
    const Metric& metric = set.metrics[i];
    text += fmt::format("  {}{}{}{}{}{}\n", padded(metric.name, 24), padded(percent(metric.value), 10),
                        padded(percent(metric.interval), 18),
                        set.over_kinds.empty() ? "" : padded(percent(set.over_kinds[i]), 18), metric.count,
                        set.chance > 0 && metric.interval.contains(set.chance) ? "  chance" : "");
  }
  return text;
}

// The first metric by kind, the worst kinds first.
std::string kinds_of(const SetSummary& set) {
  if (set.kinds.empty() || set.metrics.empty()) return "";
  std::vector<std::pair<std::string, Metric>> rows;
  for (const auto& [kind, metrics] : set.kinds) {
    const auto found = std::ranges::find(metrics, set.metrics[0].name, &Metric::name);
    if (found != metrics.end()) rows.emplace_back(kind, *found);
  }
  std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.second.value; });
  constexpr size_t kMost = 20;
  std::string text = fmt::format("  {} by kind, the lowest first:\n", set.metrics[0].name);
  for (size_t i = 0; i < std::min(kMost, rows.size()); ++i) {
    const auto& [kind, metric] = rows[i];
    text += fmt::format("    {}{}{}{}\n", padded(kind.empty() ? "(none)" : short_name(kind), 32),
                        padded(percent(metric.value), 10), padded(percent(metric.interval), 18), metric.count);
  }
  if (rows.size() > kMost) text += fmt::format("    and {} more\n", rows.size() - kMost);
  return text;
}

}  // namespace

std::string as_json(const Summary& summary) {
  OrderedJson sets = OrderedJson::array();
  for (const SetSummary& set : summary.sets) {
    OrderedJson one = {{"name", set.info.name},
                       {"task", set.info.task},
                       {"hash", fmt::format("{:016x}", set.info.hash)},
                       {"questions", set.info.questions},
                       {"answered", set.answered}};
    if (set.info.seen > 0) one["seen_in_training"] = set.info.seen;
    if (set.is_text()) {
      one.erase("questions");
      one.erase("answered");
      one.update({{"perplexity", set.perplexity()},
                  {"bits_per_byte", set.bits_per_byte()},
                  {"tokens", set.tokens},
                  {"bytes", set.bytes}});
    } else {
      if (set.chance > 0) one["chance"] = set.chance;
      one["scores"] = metrics_of(set.metrics, set.over_kinds, set.chance);
      OrderedJson kinds = OrderedJson::object();
      for (const auto& [kind, metrics] : set.kinds) kinds[kind] = metrics_of(metrics, {}, 0);
      if (!kinds.empty()) one["kinds"] = kinds;
    }
    sets.push_back(std::move(one));
  }
  return OrderedJson{{"model", summary.info.model}, {"settings", settings_of(summary.info)}, {"sets", sets}}.dump(
             2, ' ', false, OrderedJson::error_handler_t::replace) +
         "\n";
}

std::string as_json(const std::vector<Difference>& differences, const std::string& a, const std::string& b) {
  OrderedJson all = OrderedJson::array();
  for (const Difference& one : differences) {
    OrderedJson difference = {{"set", one.set},
                              {"score", one.metric},
                              {"count", one.count},
                              {"a", one.a},
                              {"b", one.b},
                              {"difference", one.b - one.a},
                              {"interval", list_of(one.interval)}};
    if (one.p) difference.update({{"only_a", one.only_a}, {"only_b", one.only_b}, {"p", *one.p}});
    all.push_back(std::move(difference));
  }
  return OrderedJson{{"a", a}, {"b", b}, {"differences", all}}.dump(2, ' ', false,
                                                                    OrderedJson::error_handler_t::replace) +
         "\n";
}

std::string as_table(const Summary& summary) {
  std::string text;
  for (const SetSummary& set : summary.sets) {
    if (set.is_text()) {
      text += fmt::format("{}: perplexity {:.3f}, {:.4f} bits per byte, {} tokens\n", set.info.name, set.perplexity(),
                          set.bits_per_byte(), set.tokens);
      continue;
    }
    text += fmt::format("{}: {} of {} questions{}\n", set.info.name, set.answered, set.info.questions,
                        set.chance > 0 ? fmt::format(", chance {}", percent(set.chance)) : "");
    if (set.info.seen > 0) text += fmt::format("  the model was trained on {} of them\n", set.info.seen);
    text += rows_of(set) + kinds_of(set);
  }
  return text;
}

std::string as_table(const std::vector<Difference>& differences, const std::string& a, const std::string& b) {
  std::string text = fmt::format("a: {}\nb: {}\n", a, b), set;
  for (const Difference& one : differences) {
    if (one.set != set) {
      set = one.set;
      text += fmt::format("{}\n  {}{}{}{}{}{}\n", set, padded("score", 22), padded("a", 10), padded("b", 10),
                          padded("b - a", 9), padded("95 %", 17), "only a, only b, p");
    }
    const bool is_bits = one.metric == "bits_per_byte";
    const auto shown = [&](double value) { return is_bits ? fmt::format("{:.4f}", value) : percent(value); };
    const double scale = is_bits ? 1 : 100;
    text += fmt::format("  {}{}{}{}{}", padded(one.metric, 22), padded(shown(one.a), 10), padded(shown(one.b), 10),
                        padded(fmt::format("{:+.{}f}", scale * (one.b - one.a), is_bits ? 4 : 1), 9),
                        padded(fmt::format("{:+.{}f} to {:+.{}f}", scale * one.interval.low, is_bits ? 4 : 1,
                                           scale * one.interval.high, is_bits ? 4 : 1),
                               17));
    if (one.p) text += fmt::format("{}, {}, {:.3g}", one.only_a, one.only_b, *one.p);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

}  // namespace tinyllm::eval
