#pragma once

#include <tinyllm/tensor/formats/safetensors.h>

#include <deque>
#include <map>
#include <span>
#include <string>

namespace tinyllm {

/// The tensors of a folder from Hugging Face or ModelScope. They are in `model.safetensors`, or in the shards that
/// `model.safetensors.index.json` names for each tensor. Other files are ignored, since shards may be left over from
/// another model. Threads may share it.
class WeightFiles {
 public:
  /// Opens the files. Throws Error that names the file when there is neither, a shard is missing or damaged, or the
  /// index names a shard for a tensor that is not in it.
  explicit WeightFiles(const std::filesystem::path& folder);

  struct Tensor {
    const Safetensors* file;
    const Safetensors::Entry* entry;

    /// Reads elements from index `first` on, converted to floats.
    void read(int64_t first, std::span<float> out) const;
  };
  /// The tensor of this name: F32, F16 or BF16. In some folders all names lack the prefix `model.`. Throws Error when
  /// it is missing or has another type or shape.
  const Tensor& at(const std::string& name, const Shape& shape) const;
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

 private:
  void add_all(const Safetensors& file);
  void read_index(const std::filesystem::path& path);

  std::filesystem::path folder_;
  std::deque<Safetensors> files_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace tinyllm
