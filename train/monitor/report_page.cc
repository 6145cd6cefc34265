#include <tinyllm/train/monitor/report_page.h>

#include <tinyllm/train/monitor/metrics_line.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace tinyllm {

extern const std::string_view kRunPage;  // page/, with {{metrics}} where the lines go.

namespace {

// The limit of the page. If the lines of a run exceed it, fewer are kept.
constexpr size_t kMaxBytes = 2'500'000;
// The steps of a long run are divided into this many buckets. At most this many lines of every other kind are kept.
constexpr size_t kBuckets = 1000;
// Steps of a bucket that are always kept: first, last, lowest and highest loss and gradient norm.
constexpr size_t kKept = 6;
constexpr std::array kCurves = {"loss", "grad_norm"};

enum class Kind { run, mix, step, validation, sample, event, other };

// What choosing lines needs to know about a line.
struct Line {
  std::string_view text;
  Kind kind;
  int64_t step;
  bool is_best;
  size_t part;  // Steps of one stage and one length of rows have the same number.
  std::array<double, kCurves.size()> values;
};

Kind kind_of(const MetricsLine& line) {
  if (line.contains("loss")) return Kind::step;
  if (line.contains("validation_loss")) return Kind::validation;
  if (line.contains("prompt") && line.contains("sample")) return Kind::sample;
  if (line.contains("event")) return Kind::event;
  if (line.contains("run")) return Kind::run;
  return line.contains("mix") ? Kind::mix : Kind::other;
}

// NaN counts as the highest value, so that it is visible.
double value_of(const MetricsLine& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::infinity();
}

std::vector<Line> lines_of(std::string_view metrics) {
  std::vector<Line> lines;
  MetricsLine last_part;
  size_t part = 0;
  while (!metrics.empty()) {
    const size_t end = std::min(metrics.find('\n'), metrics.size());
    const std::string_view text = metrics.substr(0, end);
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
    const auto json = parse_metrics_line(text);
    if (!json) continue;
    Line line = {text, kind_of(*json), json->at("step").get<int64_t>(), json->value("best", MetricsLine()) == true, 0,
                 {}};
    if (line.kind == Kind::step) {
      MetricsLine this_part = {json->value("stage", MetricsLine()), json->value("seq_len", MetricsLine())};
      if (this_part != last_part) ++part;
      last_part = std::move(this_part);
      line.part = part;
      for (size_t i = 0; i < kCurves.size(); ++i) line.values[i] = value_of(*json, kCurves[i]);
    }
    lines.push_back(line);
  }
  return lines;
}

// The lines of a report, by number, and with the last step of each bucket the mean of its curves.
using Choice = std::map<size_t, MetricsLine>;

void keep_bucket(const std::vector<Line>& lines, const std::vector<size_t>& bucket, Choice& choice) {
  choice[bucket.front()];
  MetricsLine& mean = choice[bucket.back()];
  for (size_t i = 0; i < kCurves.size(); ++i) {
    const auto less = [&](size_t a, size_t b) { return lines[a].values[i] < lines[b].values[i]; };
    const auto [low, high] = std::minmax_element(bucket.begin(), bucket.end(), less);
    choice[*low];
    choice[*high];
    double sum = 0, count = 0;
    for (const size_t at : bucket) {
      if (!std::isfinite(lines[at].values[i])) continue;
      sum += lines[at].values[i];
      ++count;
    }
    if (count > 0) mean[kCurves[i]] = sum / count;
  }
}

void keep_steps(const std::vector<Line>& lines, size_t buckets, Choice& choice) {
  std::vector<size_t> steps;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].kind == Kind::step) steps.push_back(i);
  }
  if (steps.size() <= kKept * buckets) {
    for (const size_t i : steps) choice[i];
    return;
  }
  const size_t length = (steps.size() + buckets - 1) / buckets;
  std::vector<size_t> bucket;
  for (size_t i = 0; i < steps.size(); ++i) {
    bucket.push_back(steps[i]);
    const bool is_end = i + 1 == steps.size() || lines[steps[i]].part != lines[steps[i + 1]].part;
    if (bucket.size() < length && !is_end) continue;
    keep_bucket(lines, bucket, choice);
    bucket.clear();
  }
}

// Lines of one kind at `most` different steps, evenly spaced, always with the last one and the best one.
void keep_others(const std::vector<Line>& lines, Kind kind, size_t most, Choice& choice) {
  std::vector<std::vector<size_t>> groups;  // Samples of one validation stay together.
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].kind != kind) continue;
    const bool is_same = kind == Kind::sample && !groups.empty() && lines[groups.back()[0]].step == lines[i].step;
    if (!is_same) groups.emplace_back();
    groups.back().push_back(i);
  }
  const size_t stride = (groups.size() + most - 1) / most;
  size_t best = groups.size();
  for (size_t i = 0; i < groups.size(); ++i) {
    if (lines[groups[i][0]].is_best) best = i;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if ((groups.size() - 1 - i) % stride != 0 && i != best) continue;
    for (const size_t line : groups[i]) choice[line];
  }
}

// JSON without a character that could end the script element around it. In JSON, these occur only in strings.
std::string safe_in_script(const std::string& json) {
  std::string text;
  for (const char c : json) {
    switch (c) {
      case '<':
        text += "\\u003c";
        break;
      case '>':
        text += "\\u003e";
        break;
      case '&':
        text += "\\u0026";
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::string page_around(std::string_view data) {
  constexpr std::string_view kPlace = "{{metrics}}";
  const size_t place = kRunPage.find(kPlace);
  return std::string(kRunPage.substr(0, place)) + std::string(data) +
         std::string(kRunPage.substr(place + kPlace.size()));
}

}  // namespace

std::string live_page() { return page_around(""); }

std::string report_page(std::string_view metrics) {
  const std::vector<Line> lines = lines_of(metrics);
  for (size_t buckets = kBuckets;; buckets /= 2) {
    Choice choice;
    keep_steps(lines, buckets, choice);
    for (const Kind kind : {Kind::run, Kind::mix, Kind::validation, Kind::sample, Kind::event}) {
      keep_others(lines, kind, buckets, choice);
    }
    std::string data = "\n";  // A run without lines has a report too.
    for (const auto& [number, mean] : choice) {
      MetricsLine line = *parse_metrics_line(lines[number].text);
      if (!mean.is_null()) line["mean"] = mean;
      data += safe_in_script(line.dump(-1, ' ', false, MetricsLine::error_handler_t::replace)) + '\n';
    }
    if (kRunPage.size() + data.size() <= kMaxBytes || buckets == 1) return page_around(data);
  }
}

}  // namespace tinyllm
