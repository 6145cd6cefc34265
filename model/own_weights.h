#pragma once

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/weight_reader.h>

namespace tinyllm {

/// The tensors of our own folders, which hold weights under the names of their specs. A float weight is one tensor,
/// F32, F16 or BF16. A quantised matrix is two: `<name>`, I8 [N, K] for q8_0 and U8 [N, K / 2] for q4_0, and
/// `<name>_scale`, F16 [N, K / 32]; as bf16 it is only `<name>`, BF16 [N, K]; see ops/quantized.h.
class OwnWeights final : public WeightReader {
 public:
  /// `specs` are the weights in the types that the file has, and are all that it has. Throws Error that names the file
  /// and the tensor when one is missing, unknown, or has another type or shape.
  OwnWeights(const Safetensors& file, std::vector<WeightSpec> specs);

  std::string name(const WeightSpec& spec) const override { return file_.path().string() + ": " + spec.name; }
  Type type_of(const WeightSpec& spec) const override;
  void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const override;
  QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const override;

 private:
  const Safetensors& file_;
  std::vector<WeightSpec> specs_;  // By name.
};

/// What a file holds for a quantised matrix, which must live until the file is written.
std::vector<RawTensor> tensors_of(const std::string& name, const QuantizedMatrix& matrix);

}  // namespace tinyllm
