#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace tinyllm::test {

/// A file of the big sets, which lie beside the project where there are any. Where it is missing, says that a test is
/// skipped.
inline std::optional<std::filesystem::path> shared_data(const std::string& name, const std::string& folder = "data") {
  const std::filesystem::path path = std::filesystem::path(TEST_DATA "/../../../shared") / folder / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: there is no ../shared/" << folder << "/" << name);
  return std::nullopt;
}

}  // namespace tinyllm::test
