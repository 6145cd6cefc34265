#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace tinyllm::test {

/// A file or folder of tests/data.
std::filesystem::path test_data(const std::string& name);

/// A file that lies beside the project, where there is one. Where it is missing, says that a test is skipped.
std::optional<std::filesystem::path> shared(const std::string& name);

/// A file of the big sets.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) { return shared("data/" + name); }

}  // namespace tinyllm::test
