#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace tinyllm {

/// The text files that describe a model, by name: those of a folder, or files in memory, such as those that are made
/// from the metadata of a GGUF file.
class ModelFiles {
 public:
  // Implicit, so that a folder can be passed wherever ModelFiles are expected.
  ModelFiles(std::filesystem::path folder) : where_(std::move(folder)), in_memory_(false) {}  // NOLINT
  /// `where` names the files in errors.
  ModelFiles(std::filesystem::path where, std::map<std::string, std::string> files)
      : where_(std::move(where)), in_memory_(true), files_(std::move(files)) {}

  bool has(const std::string& name) const;
  /// Throws Error when the file is missing, unreadable, or larger than `most` bytes.
  std::string read(const std::string& name, uint64_t most) const;
  /// The file's name for errors.
  std::string path(const std::string& name) const { return (where_ / name).string(); }
  const std::filesystem::path& where() const { return where_; }

 private:
  std::filesystem::path where_;
  bool in_memory_;
  std::map<std::string, std::string> files_;
};

}  // namespace tinyllm
