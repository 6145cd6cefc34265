#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace tinyllm::test {

/// A file that lies beside the project, where there is one. Where it is missing, says that a test is skipped.
inline std::optional<std::filesystem::path> shared(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(TEST_DATA "/../../../shared") / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: there is no ../shared/" << name);
  return std::nullopt;
}

/// A file of the big sets.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) { return shared("data/" + name); }

}  // namespace tinyllm::test
