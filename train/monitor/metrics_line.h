#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace tinyllm {

using MetricsLine = nlohmann::ordered_json;

/// Parses a line of metrics.jsonl. Nullopt if the line is longer than 1 MiB, not UTF-8, not a JSON object, or has no
/// step that is a whole number from 0 to 10^15. Lists and objects nested more than 8 deep are left out, so that the
/// value can be copied and printed.
std::optional<MetricsLine> parse_metrics_line(std::string_view text);

}  // namespace tinyllm
