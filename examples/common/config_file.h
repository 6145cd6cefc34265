#pragma once

#include <CLI/CLI.hpp>

#include <istream>
#include <string>
#include <vector>

namespace tinyllm::cli {

/// Reads the file of `--config`. Throws CLI::ConfigError that names the file and each line or key that is wrong: bytes
/// that are not text, a section, a key that is not an option, a key that occurs twice.
class ConfigFile : public CLI::ConfigTOML {
 public:
  /// The app must outlive the reader.
  explicit ConfigFile(const CLI::App& app) : app_(&app) {}
  std::vector<CLI::ConfigItem> from_config(std::istream& stream) const override;

 private:
  const CLI::App* app_;
};

}  // namespace tinyllm::cli
