#pragma once

#include <filesystem>

namespace tinyllm::agent {

/// Limits this thread, and the threads and programs that it starts, to a folder and to the folder of the log by
/// Landlock, Linux's sandbox without privileges. Cannot be taken back. Returns false where the kernel has none.
/// Throws AgentError when the kernel has it and refuses.
bool confine(int root, const std::filesystem::path& log_folder);

}  // namespace tinyllm::agent
