// Runs that are killed, and runs beside a process that swaps links.
#pragma once

#include <tinyllm/runtime/agent/agent.h>

#include <filesystem>
#include <string>

namespace tinyllm::test {

enum class Killed { run, undo };

/// Ends a process at each fail point of a run of this plan, or of its undo, in turn, starts again, and checks that the
/// tree is the one before or the one after, with names, bytes, modes and times, and that nothing is left over. At the
/// end the tree is as it was before.
void check_every_crash(const agent::Policy& policy, const std::string& plan, Killed killed);

struct RaceResult {
  int done = 0, refused = 0;
  std::string unexpected;  ///< The first error that is none of the expected ones.
};
/// Runs a plan this many times while another process exchanges root/<name> with a link to outside/<name>.
RaceResult run_race(const agent::Policy& policy, const std::filesystem::path& top, const std::string& name,
                    const std::string& plan, int rounds);

}  // namespace tinyllm::test
