#pragma once

#include <tinyllm/tensor/base/names.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/data/token_file.h>

namespace tinyllm {

/// What ends where a document does.
enum class DocumentEnd {
  row,        ///< Every document begins a row; padding is behind its end.
  attention,  ///< Documents follow each other in rows without padding, and do not see each other.
  nothing,    ///< A document sees those before it in its row, and its first token is learned too.
};
constexpr auto names(DocumentEnd) { return std::array{"row", "attention", "nothing"}; }

/// Which part of a file: nothing is in both `train` and `validation`.
enum class TextPart { all, train, validation };

struct TextOptions {
  int64_t length = 256;  ///< Tokens of a row.
  DocumentEnd document_end = DocumentEnd::attention;
  TextPart part = TextPart::all;
  /// One of N documents is for validation, drawn by its number; where a file has few documents, one of N
  /// spans of about four thousand tokens.
  int64_t validation_every = 100;
};

/// Rows of a file of tokens. Every token is learned once in each time through the rows: each is the target of the one
/// before it in its document, the end token the last target of all, also over the ends of rows. The first token of a
/// document has none before it (but see DocumentEnd::nothing), nor has the one behind a gap that the other part leaves.
///
/// A row is found by a binary search in the file, and nothing is kept for it: for `all` no memory is needed, for a part
/// 24 bytes for each gap that the other leaves; with DocumentEnd::row they are needed for each document.
class TextDataset : public RowSource {
 public:
  /// Throws Error when the file is too short for both parts, or the options cannot be.
  TextDataset(std::shared_ptr<const TokenFile> file, const TextOptions& options);

  int64_t rows() const override { return rows_; }
  int64_t length() const override { return options_.length; }
  /// Of the file's checksum and the options.
  uint64_t hash() const override;
  /// Of the part. Those that none follows, in their document or before a gap, are targets only.
  int64_t tokens() const { return tokens_; }
  int64_t fill(Batch& batch, size_t at, int64_t row) const override;
  std::vector<std::string> names_of(int64_t row) const override;

 private:
  // Tokens of the file that stand together. All runs, one behind the other, are the stream that rows are cut from; or,
  // with DocumentEnd::row, each is cut into rows of its own.
  struct Run {
    int64_t begin;
    int64_t end;
    int64_t first;  // Its place in the stream, or its first row.
  };

  void add_run(int64_t begin, int64_t end);
  void add_documents(bool validation);
  void add_spans(bool validation);
  void count_rows();
  const Run& run_of(int64_t first) const;
  // Tokens [from, from + count) of the file at a place of a row; they may learn what comes up to `end`.
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
