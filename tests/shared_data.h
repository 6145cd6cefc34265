#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace tinyllm::test {

/// A file of the big sets, which lie beside the project where there are any. Where it is missing, says that a test is
/// skipped.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(TEST_DATA "/../../../shared/data") / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: there is no ../shared/data/" << name);
  return std::nullopt;
}

}  // namespace tinyllm::test
