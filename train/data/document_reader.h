#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A piece of a corpus file: whole lines, or a part of a line that is longer than a piece.
struct CorpusPiece {
  std::filesystem::path file;
  size_t line = 1;  ///< Where in the file the piece begins; both count from 1.
  size_t byte = 1;  ///< Within that line.
  std::string text;
  bool ends_file = false;
};

/// Reads corpus files (documents.h has the format) one after the other in pieces of a quarter of a megabyte. Its memory
/// does not grow with the size of files or lines.
class CorpusReader {
 public:
  /// Throws Error unless all are regular files.
  explicit CorpusReader(std::vector<std::filesystem::path> files);

  /// The size of all files when the reader was made.
  int64_t total_bytes() const { return total_; }

  /// The next piece; none after the last. Throws Error when a file cannot be read.
  std::optional<CorpusPiece> next();

 private:
  void open();

  std::vector<std::filesystem::path> files_;
  size_t file_ = 0;
  std::ifstream in_;
  std::string rest_;  // Read, and not yet returned.
  size_t line_ = 1;
  size_t byte_ = 1;
  int64_t total_ = 0;
};

/// The part of a document that is in a piece.
struct DocumentPart {
  std::string_view text;  ///< In the piece's text.
  bool ends = false;      ///< Otherwise the document continues in the next piece.
};

/// Splits a piece into parts of documents. Line ends of Windows become line feeds first. A part that ends a document
/// may be empty, and so may a document. Throws Error that names the file and the line of what is not UTF-8.
std::vector<DocumentPart> cut_documents(CorpusPiece& piece);

}  // namespace tinyllm
