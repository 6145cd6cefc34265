#pragma once

#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/train/data/row_source.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tinyllm {

/// What became of the samples. The last token of a sample is only a target, and is not counted.
struct PackReport {
  int64_t samples = 0;
  int64_t truncated = 0;       ///< Longer than a row: their ends are lost.
  int64_t dropped = 0;         ///< Without a learned target, perhaps because of the cut: they are not in any row.
  int64_t lost_tokens = 0;     ///< Tokens of both that are not in any row.
  int64_t tokens = 0;          ///< In rows, without padding.
  int64_t learned_tokens = 0;  ///< Targets that carry loss.
  int64_t rows = 0;
  int64_t places = 0;  ///< Positions in all rows.

  /// The fraction of positions that hold padding.
  double padding() const { return places == 0 ? 0 : 1 - static_cast<double>(tokens) / static_cast<double>(places); }
};

/// Samples packed into rows of equal length.
class Dataset : public RowSource {
 public:
  /// Samples of prompts and answers, several to a row.
  static Dataset of_samples(const std::vector<Sample>& samples, int64_t length, int32_t pad = 0);
  /// Running text. Every token is learned. A long text fills several rows; the last target of a row is the first token
  /// of the next.
  static Dataset of_texts(const std::vector<std::vector<int32_t>>& texts, int64_t length, int32_t pad = 0);

  int64_t rows() const override { return static_cast<int64_t>(rows_.size()); }
  int64_t length() const override { return length_; }
  int32_t pad() const override { return pad_; }
  uint64_t hash() const override;
  const PackReport& report() const { return report_; }
  int64_t fill(Batch& batch, size_t at, int64_t row) const override;
  std::vector<std::string> names_of(int64_t row) const override;

 private:
  struct Piece {
    int64_t sample;  // Counted from 0.
    std::vector<int32_t> tokens;
    std::vector<int32_t> targets;
  };
  using Row = std::vector<Piece>;

  Dataset(int64_t length, int32_t pad) : length_(length), pad_(pad) {}
  void pack(std::vector<Piece> pieces);

  int64_t length_;
  int32_t pad_;
  std::vector<Row> rows_;
  PackReport report_;
};

/// A text split at line ends for training and validation: of every twenty spans of about four thousand bytes, one is
/// for validation. A new text begins after each span that went to the other part, and after each line that separates
/// documents (documents.h). These lines are dropped.
struct TextSplit {
  std::vector<std::string> train;
  std::vector<std::string> validation;
};
/// Throws Error when the text is blank, or has too few lines for both parts.
TextSplit split_text(std::string_view text);

}  // namespace tinyllm
