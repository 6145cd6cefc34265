#pragma once

#include <tinyllm/tensor/base/names.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/data/token_file.h>

namespace tinyllm {

/// What happens at the end of a document.
enum class DocumentEnd {
  row,        ///< Every document starts a new row; padding follows its end.
  attention,  ///< Documents follow each other in rows without padding, and do not see each other.
  nothing,    ///< A document sees those before it in its row, and its first token is learned too.
};
constexpr auto names(DocumentEnd) { return std::array{"row", "attention", "nothing"}; }

/// Which part of a file. `train` and `validation` do not overlap.
enum class TextPart { all, train, validation };

struct TextOptions {
  int64_t length = 256;  ///< Tokens of a row.
  DocumentEnd document_end = DocumentEnd::attention;
  TextPart part = TextPart::all;
  /// One of N documents is for validation, chosen by a hash of its number. In a file with few documents it is one of N
  /// spans of about four thousand tokens.
  int64_t validation_every = 100;
  int32_t pad = 0;  ///< The token of padding.
};

/// Rows cut from a file of tokens. Each token is a target exactly once per epoch, also across the ends of rows. The
/// exceptions are the first token of a document (but see DocumentEnd::nothing) and the first token after a gap that the
/// other part leaves. The end token is the last target of its document.
///
/// A row is found by binary search in the file. This needs no memory for `all`, and 24 bytes per gap for a part; with
/// DocumentEnd::row it needs 24 bytes per document.
class TextDataset : public RowSource {
 public:
  /// Throws Error if the file is too short for both parts, or if the options are invalid.
  TextDataset(std::shared_ptr<const TokenFile> file, const TextOptions& options);

  int64_t rows() const override { return rows_; }
  int64_t length() const override { return options_.length; }
  int32_t pad() const override { return options_.pad; }
  /// A hash of the file's checksum and the options.
  uint64_t hash() const override;
  /// The number of tokens in this part. The last tokens of documents and the last before a gap are targets only.
  int64_t tokens() const { return tokens_; }
  int64_t fill(Batch& batch, size_t at, int64_t row) const override;
  std::vector<std::string> names_of(int64_t row) const override;

 private:
  // Consecutive tokens of the file. Rows are cut from the stream of all runs or, with DocumentEnd::row, from each run
  // separately.
  struct Run {
    int64_t begin;
    int64_t end;
    int64_t first;  // Its position in the stream, or its first row.
  };

  void add_run(int64_t begin, int64_t end);
  void add_documents(bool validation);
  void add_spans(bool validation);
  void count_rows();
  const Run& run_of(int64_t first) const;
  // Tokens [from, from + count) of the file at position `place` of a row. Their targets are before `end`.
  struct Piece {
    int64_t place, from, count, end;
  };
  std::vector<Piece> pieces_of(int64_t row) const;

  std::shared_ptr<const TokenFile> file_;
  TextOptions options_;
  std::vector<Run> runs_;
  int64_t rows_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace tinyllm
