#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace tinyllm {

/// The text files that describe a model, by name: those of a folder, or some that are held in memory, as what a GGUF
/// file says in its own way.
class ModelFiles {
 public:
  // A folder is taken wherever files are, as a path is.
  ModelFiles(std::filesystem::path folder) : where_(std::move(folder)), in_memory_(false) {}  // NOLINT
  /// `where` names the files in errors.
  ModelFiles(std::filesystem::path where, std::map<std::string, std::string> files)
      : where_(std::move(where)), in_memory_(true), files_(std::move(files)) {}

  bool has(const std::string& name) const;
  /// Throws Error when the file is missing, cannot be read, or has more than `most` bytes.
  std::string read(const std::string& name, uint64_t most) const;
  /// A file's name in errors.
  std::string path(const std::string& name) const { return (where_ / name).string(); }
  const std::filesystem::path& where() const { return where_; }

 private:
  std::filesystem::path where_;
  bool in_memory_;
  std::map<std::string, std::string> files_;
};

}  // namespace tinyllm
