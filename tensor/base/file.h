#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace tinyllm {

/// A file mapped into memory for reading.
class MappedFile {
 public:
  /// Throws Error when the file cannot be opened or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file as text. Throws Error when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Where a file is written before it has its name: `<path>.part`.
std::filesystem::path part_of(const std::filesystem::path& path);

/// Writes a file so that under its name there is the old one or the whole new one, never a part: to part_of(path),
/// which is synced to the disk and then renamed. Who writes the same file meanwhile, in another process too, waits,
/// where the file system has locks. `fill` calls its argument with bytes to append. Throws Error (disk full, folder
/// read-only) after removing the part.
using Append = std::function<void(std::span<const std::byte>)>;
void write_file(const std::filesystem::path& path, const std::function<void(const Append&)>& fill);
void write_file(const std::filesystem::path& path, std::string_view text);

/// Makes a folder and those above it. Throws Error when that fails, or when it cannot be written into.
void make_folder(const std::filesystem::path& path);

/// How many bytes are UTF-8 before the first that is not.
size_t valid_utf8(std::string_view text);

/// Throws Error that names the first byte that is not UTF-8, by line and column in bytes; `what` names the text, which
/// begins at a line and a byte of it.
void check_utf8(std::string_view text, std::string_view what, size_t line = 1, size_t byte = 1);

/// The text with U+FFFD in place of each byte that is part of no character: UTF-8 in any case.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace tinyllm
