#pragma once

#include <tinyllm/model/formats/safetensors.h>

#include <deque>
#include <map>
#include <string>

namespace tinyllm {

/// The tensors of a folder from Hugging Face or ModelScope: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` names, tensor by tensor. Other files in the folder are ignored: shards may be left
/// from another model. Threads may share it.
class WeightFiles {
 public:
  /// Opens the files. Throws Error that names the file when there is neither, a shard is missing or damaged, or the
  /// index names a tensor that its shard does not hold.
  explicit WeightFiles(const std::filesystem::path& folder);

  struct Tensor {
    const Safetensors* file;
    const Safetensors::Entry* entry;
  };
  /// Null when no tensor has the name.
  const Tensor* find(const std::string& name) const;
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

 private:
  void add_all(const Safetensors& file);
  void read_index(const std::filesystem::path& path);

  std::deque<Safetensors> files_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace tinyllm
