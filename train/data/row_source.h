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
  std::vector<int32_t> targets;    ///< kIgnore if nothing is learned here.
  std::vector<int32_t> positions;  ///< From 0 in each sample.
  std::vector<int32_t> starts;     ///< The first position that a token sees: samples in one row do not see each other.
  /// Further inputs of the loss, f32 [rows, length], by name.
  std::map<std::string, std::vector<float>> more = {};
};

/// Cuts rows into rows of `length`, a divisor of the batch's. Tokens no longer see what comes before a cut.
Batch cut(Batch batch, int64_t length);

/// Rows of equal length to learn from: samples in memory (packed_dataset.h), or a file of tokens (text_dataset.h).
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t rows() const = 0;
  virtual int64_t length() const = 0;
  /// The token of places that hold none, and are never learned: of a model's tokenizer, `Tokenizer::pad`.
  virtual int32_t pad() const { return 0; }
  /// A hash of all tokens and targets. A resumed run must see the same data.
  virtual uint64_t hash() const = 0;

  /// The batch of a step. Each epoch has its own random order of the rows, a pure function of (seed, step). Throws
  /// Error when there are no rows.
  Batch batch(int64_t rows, uint64_t seed, int64_t step) const;
  /// Names what this batch contains, without repeats: "document 17".
  std::vector<std::string> names(int64_t rows, uint64_t seed, int64_t step) const;
  /// Rows `first` to `first + rows`, in order; those beyond the end are padding without targets.
  Batch in_order(int64_t first, int64_t rows) const;

  /// Writes a row to a batch, from element `at` of each vector on. Returns the number of positions used; the rest of
  /// the row becomes padding.
  virtual int64_t fill(Batch& batch, size_t at, int64_t row) const = 0;
  /// Names what a row contains.
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
