#pragma once

#include <filesystem>
#include <string>

namespace tinyllm::documents {

/// A path as people read it: bytes that are not UTF-8 and control characters as `\xHH`.
std::string printable(const std::filesystem::path& path);

}  // namespace tinyllm::documents
