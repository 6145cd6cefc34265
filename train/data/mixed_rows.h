#pragma once

#include <tinyllm/train/data/row_source.h>

#include <memory>

namespace tinyllm {

/// Several sources as one, each with its share of the rows. Once through the mix is as long as it takes for every
/// source to be seen whole at its share; a source with fewer rows than that is seen several times meanwhile.
class MixedRows : public RowSource {
 public:
  struct Part {
    std::string name;
    std::shared_ptr<const RowSource> rows;
    double weight;  ///< The share is this by the sum of all.
  };
  /// Throws Error when there are no parts, when one has no rows, another length of row or a weight that is not above 0,
  /// or when the weights are so far apart that once through is more than 2^40 rows.
  explicit MixedRows(std::vector<Part> parts);

  int64_t rows() const override { return ends_.back(); }
  int64_t length() const override { return parts_[0].rows->length(); }
  /// Of the parts and their shares, not of their names.
  uint64_t hash() const override;
  const std::vector<Part>& parts() const { return parts_; }
  /// Of a part in all rows, 0 to 1.
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
  std::vector<int64_t> ends_;  // Of the parts' stretches in the rows of the mix.
};

}  // namespace tinyllm
