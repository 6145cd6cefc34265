#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tinyllm {

/// Bytes that this process can still take: what the system has available (`MemAvailable` of /proc/meminfo), and no more
/// than any control group of this process leaves below its limit (`memory.max`, `memory.limit_in_bytes`), where files
/// in its cache count as free. Empty if neither can be read. `root` is the folder that contains `proc` and `sys`, for
/// tests.
std::optional<int64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace tinyllm
