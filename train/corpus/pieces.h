#pragma once

#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/train/corpus/source.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm::corpus {

/// Some whole lines of a file as UTF-8, about a megabyte of them; a page of HTML or Markdown is one piece, up to some
/// megabytes. A line that is longer than that is cut into pieces that hold nothing else: text at the end of a sentence,
/// HTML after a tag, JSON anywhere.
struct Piece {
  size_t file = 0;   ///< Index of the file.
  int64_t line = 1;  ///< The number of its first line in the file.
  TextFormat format = TextFormat::text;
  documents::Encoding encoding = documents::Encoding::utf8;
  std::string text;
  bool opens_document = false;
  bool closes_document = false;
  bool opens_in_line = false;   ///< It begins within a line.
  bool closes_in_line = false;  ///< It ends within a line.
  int64_t consumed = 0;         ///< Bytes of the file that were read for it.
  /// A rule and the reason when the file, or the rest of it, could not be read.
  std::string problem;
  std::string why;
};

/// The format of a file named .txt: text, or HTML or Markdown when it looks like a page of these.
TextFormat sniff_format(std::string_view beginning);

/// Reads files one after the other, piece by piece.
class PieceReader {
 public:
  /// `files` must outlive the reader.
  explicit PieceReader(const std::vector<InputFile>& files) : files_(files) {}

  /// The next piece; none at the end of the last file.
  std::optional<Piece> next();

 private:
  void open();
  bool read_more();
  std::optional<size_t> cut();
  size_t cut_in_line() const;
  Piece emit(size_t end);
  Piece fail(std::string_view problem, std::string why);

  const std::vector<InputFile>& files_;
  size_t file_ = 0;
  std::optional<FileSource> source_;
  std::optional<documents::Decoder> decoder_;
  documents::Encoding encoding_ = documents::Encoding::utf8;
  TextFormat format_ = TextFormat::text;
  std::string buffer_;   // Decoded, not yet given out.
  size_t searched_ = 0;  // This many bytes of the buffer are known to have no line end.
  int64_t line_ = 1;
  bool at_beginning_ = true;
  bool in_line_ = false;  // The buffer begins within a line.
  bool at_end_ = false;
  int64_t consumed_ = 0;
};

}  // namespace tinyllm::corpus
