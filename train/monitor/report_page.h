#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// One page of HTML that needs nothing else and shows a run from the text of its metrics.jsonl: curves, samples,
/// events, configuration and data. Lines that are not metrics are left out. The page has less than 3 MB: the steps of a
/// long run are divided into buckets, of which it keeps the first and the last step, the lowest and the highest values
/// and the mean; of validations, samples and events it keeps evenly spaced ones, always with the best and the last. No
/// text of the run can become markup of the page.
std::string report_page(std::string_view metrics);

/// The same page without a run: it keeps asking its server for one (dashboard.h).
std::string live_page();

}  // namespace tinyllm
