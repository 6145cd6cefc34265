#pragma once

#include <tinyllm/train/data/row_source.h>

#include <memory>

namespace tinyllm {

/// Several sources as one, each with its share of the rows. An epoch ends when every source has been used completely;
/// smaller sources repeat within it.
class MixedRows : public RowSource {
 public:
  struct Part {
    std::string name;
    std::shared_ptr<const RowSource> rows;
    double weight;  ///< The share is this divided by the sum of all weights.
  };
  /// Throws Error if there are no parts, if a part has no rows, rows of another length or a weight that is not above 0,
  /// or if the weights differ so much that an epoch would have more than 2^40 rows.
  explicit MixedRows(std::vector<Part> parts);

  int64_t rows() const override { return ends_.back(); }
  int64_t length() const override { return parts_[0].rows->length(); }
  int32_t pad() const override { return parts_[0].rows->pad(); }
  /// A hash of the parts and their shares. Names do not count.
  uint64_t hash() const override;
  const std::vector<Part>& parts() const { return parts_; }
  /// The fraction of all rows that a part has.
  double share(size_t part) const;
  int64_t fill(Batch& batch, size_t at, int64_t row) const override;
  std::vector<std::string> names_of(int64_t row) const override;

 private:
  struct Place {
    size_t part;
    int64_t row;
  };
  Place place_of(int64_t row) const;

  std::vector<Part> parts_;
  std::vector<int64_t> ends_;  // Where each part ends in the rows of the mix.
};

}  // namespace tinyllm
