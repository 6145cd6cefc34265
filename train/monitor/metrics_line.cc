#include <tinyllm/train/monitor/metrics_line.h>

namespace tinyllm {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxDepth = 8;
constexpr int64_t kMaxStep = 1'000'000'000'000'000;  // A script of the page holds it exactly.

}  // namespace

std::optional<MetricsLine> parse_metrics_line(std::string_view text) {
  if (text.size() > kMaxBytes) return std::nullopt;
  const auto is_shallow = [](int depth, MetricsLine::parse_event_t, const MetricsLine&) { return depth < kMaxDepth; };
  MetricsLine line = MetricsLine::parse(text, is_shallow, false);
  if (!line.is_object()) return std::nullopt;
  const auto step = line.find("step");
  if (step == line.end() || !step->is_number_integer()) return std::nullopt;
  const bool is_huge = step->is_number_unsigned() && step->get<uint64_t>() > static_cast<uint64_t>(kMaxStep);
  if (is_huge || step->get<int64_t>() < 0) return std::nullopt;
  return line;
}

}  // namespace tinyllm
