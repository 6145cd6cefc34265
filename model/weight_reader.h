#pragma once

#include <tinyllm/model/weights.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/store.h>

#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// Reads the weights of a model from files of some format. A weight is a matrix [rows, width], or a vector whose rows
/// have a width of 1. Threads may share a reader.
class WeightReader {
 public:
  virtual ~WeightReader() = default;

  /// A weight's file and tensor, for errors.
  virtual std::string name(const WeightSpec& spec) const = 0;
  /// The type in which the numbers can be kept as they are: a packed one, or f32. Throws Error that names a tensor
  /// which is missing or has another type or shape.
  virtual Type type_of(const WeightSpec& spec) const = 0;
  /// Rows [first, first + n) as floats.
  virtual void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const = 0;
  /// The same rows of a weight whose `type_of` is packed, without a change of their numbers.
  virtual QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const = 0;

 protected:
  WeightReader() = default;
  WeightReader(const WeightReader&) = default;
  WeightReader(WeightReader&&) = default;
  WeightReader& operator=(const WeightReader&) = default;
  WeightReader& operator=(WeightReader&&) = default;
};

/// The types in which a model's weights can be used as they are: where not all matrices of the blocks, or not all
/// tables, have the same, f32. Throws Error as `type_of` does.
WeightTypes types_of(const WeightReader& reader, const ModelConfig& config);

/// Adds weights to a store, in the types of the specs: as they are, or converted or quantised. A few rows are read at a
/// time, so no second copy of a model is made. `on_progress` counts weights. Throws Stopped; Error as `type_of` does
/// before memory is reserved, and when a weight is not possible.
void load_weights(const WeightReader& reader, const std::vector<WeightSpec>& specs, ThreadPool& pool, Store& store,
                  const OnProgress& on_progress = {});

}  // namespace tinyllm
