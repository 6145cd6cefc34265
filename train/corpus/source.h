#pragma once

#include <tinyllm/train/corpus/folder.h>

#include <cstddef>
#include <memory>
#include <span>

namespace tinyllm {

/// The bytes of a file, decompressed, read in chunks. No more of the file is read than it had when it was listed: one
/// that grows meanwhile comes to an end.
class FileSource {
 public:
  /// Throws Error when the file cannot be opened.
  explicit FileSource(const InputFile& file);
  ~FileSource();
  FileSource(FileSource&&) noexcept;
  FileSource& operator=(FileSource&&) noexcept;

  /// The next bytes, at most as many as fit; 0 at the end. Throws Error when the file cannot be read, is shorter or
  /// longer than it was, or its compressed data are damaged or cut.
  size_t read(std::span<char> into);

  /// Bytes of the file itself that were read so far.
  int64_t consumed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
