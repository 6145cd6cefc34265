#include <tinyllm/train/data/row_source.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <utility>

namespace tinyllm {
namespace {

// Element `index` of the random permutation of [0, n) for (seed, pass), computed without the other elements: a Feistel
// network over the next even number of bits, applied again until the result is below n. Source: Black and Rogaway,
// "Ciphers with Arbitrary Finite Domains", 2002.
uint64_t permuted(uint64_t index, uint64_t n, uint64_t seed, uint64_t pass) {
  int half = 1;
  while (half < 31 && (uint64_t{1} << 2 * half) < n) ++half;
  const uint64_t mask = (uint64_t{1} << half) - 1;
  do {
    uint64_t left = index >> half;
    uint64_t right = index & mask;
    for (uint32_t round = 0; round < 6; ++round) {
      const uint32_t word = philox({static_cast<uint32_t>(right), round, static_cast<uint32_t>(pass), 1},
                                   {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[0];
      left = std::exchange(right, left ^ (word & mask));
    }
    index = left << half | right;
  } while (index >= n);
  return index;
}

}  // namespace

// Padding is a sample of its own without targets.
Batch RowSource::padding(int64_t rows) const {
  const auto size = static_cast<size_t>(rows * length());
  Batch batch{rows,
              length(),
              std::vector<int32_t>(size, pad()),
              std::vector<int32_t>(size, kIgnore),
              std::vector<int32_t>(size, 0),
              std::vector<int32_t>(size, 0)};
  return batch;
}

void RowSource::put(Batch& batch, int64_t at, int64_t row) const {
  const auto base = static_cast<size_t>(at * length());
  const int64_t used = fill(batch, base, row);
  // Padding is a sample of its own.
  for (int64_t i = used; i < length(); ++i) {
    batch.positions[base + static_cast<size_t>(i)] = static_cast<int32_t>(i - used);
    batch.starts[base + static_cast<size_t>(i)] = static_cast<int32_t>(used);
  }
}

// Row i of the batch of a step.
int64_t RowSource::row_of(int64_t rows, uint64_t seed, int64_t step, int64_t i) const {
  const auto all = static_cast<uint64_t>(this->rows());
  if (all == 0) throw Error("dataset: no rows to learn from");
  const auto index = static_cast<uint64_t>(step * rows + i);
  return static_cast<int64_t>(permuted(index % all, all, seed, index / all));
}

Batch RowSource::batch(int64_t rows, uint64_t seed, int64_t step) const {
  Batch batch = padding(rows);
  for (int64_t i = 0; i < rows; ++i) put(batch, i, row_of(rows, seed, step, i));
  return batch;
}

std::vector<std::string> RowSource::names(int64_t rows, uint64_t seed, int64_t step) const {
  std::vector<std::string> all;
  for (int64_t i = 0; i < rows; ++i) {
    for (std::string& name : names_of(row_of(rows, seed, step, i))) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(std::move(name));
    }
  }
  return all;
}

Batch RowSource::in_order(int64_t first, int64_t rows) const {
  Batch batch = padding(rows);
  for (int64_t i = 0; i < rows && first + i < this->rows(); ++i) put(batch, i, first + i);
  return batch;
}

Batch cut(Batch batch, int64_t length) {
  for (size_t i = 0; i < batch.starts.size(); ++i) {
    const auto begin = static_cast<int32_t>(static_cast<int64_t>(i) % batch.length / length * length);
    batch.starts[i] = std::max(batch.starts[i] - begin, 0);
  }
  batch.rows *= batch.length / length;
  batch.length = length;
  return batch;
}

}  // namespace tinyllm
