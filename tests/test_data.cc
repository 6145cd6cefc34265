#include "test_data.h"

namespace tinyllm::test {
namespace {

// The build names this checkout's tests/ to this file alone, so that a compiler cache serves every other test.
const std::filesystem::path kTests = TESTS_FOLDER;

}  // namespace

std::filesystem::path test_data(const std::string& name) { return kTests / "data" / name; }

std::optional<std::filesystem::path> shared(const std::string& name) {
  const std::filesystem::path path = kTests / "../../shared" / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: there is no ../shared/" << name);
  return std::nullopt;
}

}  // namespace tinyllm::test
