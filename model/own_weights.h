#pragma once

#include <tinyllm/model/weight_reader.h>
#include <tinyllm/tensor/formats/safetensors.h>

namespace tinyllm {

/// Reads the weights of our own folders. Tensors have the names of the specs. A float weight is one tensor: F32, F16 or
/// BF16. A quantised matrix is two tensors: `<name>`, I8 [N, K] for q8_0 or U8 [N, K / 2] for q4_0, and `<name>_scale`,
/// F16 [N, K / 32]. A bf16 matrix is one tensor, BF16 [N, K]. See ops/quantized.h.
class OwnWeights final : public WeightReader {
 public:
  /// `specs` are all weights of the file, with their types in the file. Throws Error that names the file and the tensor
  /// when one is missing, unknown, or has another type or shape.
  OwnWeights(const Safetensors& file, std::vector<WeightSpec> specs);

  std::string name(const WeightSpec& spec, int64_t) const override { return file_.path().string() + ": " + spec.name; }
  Type type_of(const WeightSpec& spec) const override;
  void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const override;
  QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const override;

 private:
  const Safetensors& file_;
  std::vector<WeightSpec> specs_;  // Sorted by name.
};

/// The tensors of a quantised matrix. The matrix must outlive the writing of the file.
std::vector<RawTensor> tensors_of(const std::string& name, const QuantizedMatrix& matrix);

}  // namespace tinyllm
