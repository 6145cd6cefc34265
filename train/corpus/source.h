#pragma once

#include <tinyllm/train/corpus/folder.h>

#include <cstddef>
#include <memory>
#include <span>

namespace tinyllm::corpus {

/// The bytes of a file, decompressed, read in chunks. Reading stops at the size that the file had when it was listed,
/// also when it has grown since.
class FileSource {
 public:
  /// Throws Error when the file cannot be opened, or is compressed more than twice over.
  explicit FileSource(const InputFile& file);
  ~FileSource();
  FileSource(FileSource&&) noexcept;
  FileSource& operator=(FileSource&&) noexcept;

  /// The next bytes, at most as many as fit; 0 at the end. Throws Error when the file cannot be read, is shorter or
  /// longer than it was, when its compressed data are damaged or cut, or when more than 16 MB of text are more than
  /// 1000 times the compressed bytes read so far.
  size_t read(std::span<char> into);

  /// Bytes of the file itself that were read so far.
  int64_t consumed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm::corpus
