#pragma once

#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/runtime/agent/planner.h>

#include <string>
#include <vector>

namespace tinyllm::cli {

/// A preview as a table with one line for each file, the first 20 of a step unless `full`. Names are escaped.
std::string shown(const agent::Preview& preview, bool full);
std::string shown(const agent::Outcome& outcome);
std::string shown(const std::vector<agent::RunInfo>& runs);

/// The same as one line of JSON, always whole.
std::string json_of(const agent::Preview& preview);
std::string json_of(const agent::Outcome& outcome);
std::string json_of(const std::vector<agent::RunInfo>& runs);
std::string json_of(const agent::Proposal& proposal);

}  // namespace tinyllm::cli
