#pragma once

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/model.h>
#include <tinyllm/model/weight_reader.h>

#include <vector>

namespace tinyllm {

/// Opens a folder from Hugging Face or ModelScope: a model of one of the families in formats/family.h, with its
/// tokenizer and its chat template. Matrices that are all BF16 stay BF16, unless the options name another type. Other
/// weights become f32. Throws Error that names the file and what is wrong or not supported.
Model load_hugging_face(const std::filesystem::path& folder, const LoadOptions& options = {});

/// Reads the tensors of such a folder that `WeightSpec::parts` name: F32, F16 or BF16. Other tensors are ignored.
class HuggingFaceWeights final : public WeightReader {
 public:
  explicit HuggingFaceWeights(const WeightFiles& files) : files_(files) {}

  std::string name(const WeightSpec& spec, int64_t row) const override;
  Type type_of(const WeightSpec& spec) const override;
  void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const override;
  QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const override;

 private:
  const WeightFiles& files_;
};

}  // namespace tinyllm
