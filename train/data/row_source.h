#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tinyllm {

/// Rows for one step, each [rows, length].
struct Batch {
  int64_t rows = 0;
  int64_t length = 0;
  std::vector<int32_t> tokens;
  std::vector<int32_t> targets;    ///< kIgnore where nothing is learned.
  std::vector<int32_t> positions;  ///< From 0 in each sample.
  std::vector<int32_t> starts;     ///< The first place that a token sees: samples in one row do not see each other.
  /// Further inputs f32 [rows, length] by name, of a loss that asks its graph for them.
  std::map<std::string, std::vector<float>> more = {};
};

/// The same tokens in rows of `length`, a divisor of the batch's: what lies before a cut is seen no more.
Batch cut(Batch batch, int64_t length);

/// Rows of equal length to learn from: samples in memory (dataset.h), or a file of tokens (text_dataset.h).
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t rows() const = 0;
  virtual int64_t length() const = 0;
  /// Of all tokens and targets: a resumed run must see the same.
  virtual uint64_t hash() const = 0;

  /// The batch of a step: rows in an order that is drawn anew for each time through the data, a pure function of
  /// (seed, step). Throws Error when there are no rows.
  Batch batch(int64_t rows, uint64_t seed, int64_t step) const;
  /// What that batch is made of, in words, each once: "document 17".
  std::vector<std::string> names(int64_t rows, uint64_t seed, int64_t step) const;
  /// Rows `first` to `first + rows`, in order; those beyond the end are padding without targets.
  Batch in_order(int64_t first, int64_t rows) const;

  /// Writes a row to a batch, from element `at` of each vector on. Returns how many places it takes; the others become
  /// padding.
  virtual int64_t fill(Batch& batch, size_t at, int64_t row) const = 0;
  /// What a row is made of, in words.
  virtual std::vector<std::string> names_of(int64_t row) const = 0;

 protected:
  RowSource() = default;
  RowSource(const RowSource&) = default;
  RowSource(RowSource&&) = default;
  RowSource& operator=(const RowSource&) = default;
  RowSource& operator=(RowSource&&) = default;

 private:
  int64_t row_of(int64_t rows, uint64_t seed, int64_t step, int64_t i) const;
  Batch padding(int64_t rows) const;
  void put(Batch& batch, int64_t at, int64_t row) const;
};

}  // namespace tinyllm
