#pragma once

#include <tinyllm/train/eval/summary.h>

#include <string>

namespace tinyllm::eval {

/// One page of HTML that needs nothing else, under 200 KB: every score with its interval and with what guessing scores,
/// votes by the number of chains, and scores by kind. Of very many kinds or sets, the last are left out of the page. No
/// text of the run can become markup.
std::string report_page(const Summary& summary);

}  // namespace tinyllm::eval
