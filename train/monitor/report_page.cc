#include <tinyllm/train/monitor/report_page.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace tinyllm {

extern const std::string_view kPage;  // page/, with {{metrics}} where the lines go.

namespace {

using Json = nlohmann::ordered_json;

// Steps that a report shows in full, and stretches that a longer run is cut into.
constexpr size_t kAllSteps = 8000;
constexpr size_t kStretches = 1600;
// Objects and lists inside of each other; what lies deeper is left out.
constexpr int kDepth = 8;
// The curves whose peaks a stretch keeps.
constexpr std::array kPeaks = {"loss", "grad_norm"};

std::vector<Json> parse(std::string_view metrics) {
  const auto is_shallow = [](int depth, Json::parse_event_t, const Json&) { return depth < kDepth; };
  std::vector<Json> lines;
  while (!metrics.empty()) {
    const size_t end = std::min(metrics.find('\n'), metrics.size());
    Json line = Json::parse(metrics.substr(0, end), is_shallow, false);
    if (line.is_object()) lines.push_back(std::move(line));
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
  }
  return lines;
}

// Not a number counts as the highest: that it was there is to be seen.
double value_of(const Json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::infinity();
}

// Marks the ends of a stretch of steps, and its lowest and highest values.
void keep_peaks(const std::vector<Json>& lines, const std::vector<size_t>& stretch, std::vector<bool>& is_kept) {
  is_kept[stretch.front()] = is_kept[stretch.back()] = true;
  for (const char* name : kPeaks) {
    const auto less = [&](size_t a, size_t b) { return value_of(lines[a], name) < value_of(lines[b], name); };
    const auto [low, high] = std::minmax_element(stretch.begin(), stretch.end(), less);
    is_kept[*low] = is_kept[*high] = true;
  }
}

// Whether a curve changes its nature between two steps: that it does is to be seen where it does.
bool is_break(const Json& before, const Json& after) {
  const auto differ = [&](const char* name) { return before.value(name, Json()) != after.value(name, Json()); };
  return differ("stage") || differ("length");
}

void thin(std::vector<Json>& lines) {
  std::vector<size_t> steps;
  std::vector<bool> is_kept(lines.size(), true);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].contains("loss")) steps.push_back(i);
  }
  if (steps.size() <= kAllSteps) return;
  for (const size_t i : steps) is_kept[i] = false;
  const size_t length = (steps.size() + kStretches - 1) / kStretches;
  std::vector<size_t> stretch;
  for (size_t i = 0; i < steps.size(); ++i) {
    stretch.push_back(steps[i]);
    const bool is_end = i + 1 == steps.size() || is_break(lines[steps[i]], lines[steps[i + 1]]);
    if (stretch.size() < length && !is_end) continue;
    keep_peaks(lines, stretch, is_kept);
    stretch.clear();
  }
  size_t kept = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!is_kept[i]) continue;
    if (kept != i) lines[kept] = std::move(lines[i]);
    ++kept;
  }
  lines.resize(kept);
}

// JSON without a character that could end the script element around it. In JSON these stand in strings alone.
std::string escaped(const std::string& json) {
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
  const size_t place = kPage.find(kPlace);
  return std::string(kPage.substr(0, place)) + std::string(data) + std::string(kPage.substr(place + kPlace.size()));
}

}  // namespace

std::string live_page() { return page_around(""); }

std::string report_page(std::string_view metrics) {
  std::vector<Json> lines = parse(metrics);
  thin(lines);
  std::string data = "\n";  // The page of a run without lines is a report too.
  for (const Json& line : lines) data += escaped(line.dump(-1, ' ', false, Json::error_handler_t::replace)) + '\n';
  return page_around(data);
}

}  // namespace tinyllm
