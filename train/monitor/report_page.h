#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// One page of HTML, with nothing outside itself, that shows a run from the text of its metrics.jsonl: curves, samples,
/// events, configuration and data. Lines that are cut off are left out. Of runs of more than some thousand steps it
/// keeps those with the lowest and highest values; no text of the run can become a part of the page.
std::string report_page(std::string_view metrics);

/// The same page without a run: it asks the server that it came from for one, again and again (dashboard.h).
std::string live_page();

}  // namespace tinyllm
