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

/// Reads the weights of a model; each file format has its own reader. A weight is a matrix [rows, width], or a vector
/// with rows of width 1. Threads may share a reader.
class WeightReader {
 public:
  virtual ~WeightReader() = default;

  /// The file and the tensor that hold a row of a weight, for errors.
  virtual std::string name(const WeightSpec& spec, int64_t row) const = 0;
  /// The type that holds the numbers unchanged: a packed type or f32. Throws Error that names the tensor when it is
  /// missing or has another type or shape.
  virtual Type type_of(const WeightSpec& spec) const = 0;
  /// Reads rows [first, first + n) as floats.
  virtual void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const = 0;
  /// Reads the same rows unchanged, from a weight whose `type_of` is packed.
  virtual QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const = 0;

 protected:
  WeightReader() = default;
  WeightReader(const WeightReader&) = default;
  WeightReader(WeightReader&&) = default;
  WeightReader& operator=(const WeightReader&) = default;
  WeightReader& operator=(WeightReader&&) = default;
};

/// The part of a weight that holds a row.
const WeightPart& part_with(const WeightSpec& spec, int64_t row);

/// The types that keep a model's weights unchanged. If the matrices of the blocks have different types, their type is
/// f32; the same holds for tables. Throws Error as `type_of` does.
WeightTypes types_of(const WeightReader& reader, const ModelConfig& config);

/// Adds weights to a store. They are converted or quantised if the specs have other types than the files. A few rows
/// are read at a time, so there is never a second copy of the model. `on_progress` counts weights. Throws Stopped;
/// Error as `type_of` does, before it reserves memory, and Error that names the tensor when a number is not finite.
void load_weights(const WeightReader& reader, const std::vector<WeightSpec>& specs, ThreadPool& pool, Store& store,
                  const OnProgress& on_progress = {});

}  // namespace tinyllm
