#pragma once

#include <tinyllm/model/formats/gguf/metadata.h>
#include <tinyllm/model/formats/gguf/tensor_type.h>
#include <tinyllm/tensor/base/file.h>

#include <string_view>
#include <vector>

namespace tinyllm {

/// A GGUF file (version 2 or 3, little-endian), mapped into memory: metadata, then named tensors.
///
///   const Gguf file(path);
///   file.metadata().get<std::string_view>("general.architecture");
///   const Gguf::Tensor& tensor = file.at("blk.0.attn_q.weight");
///   std::vector<float> values = file.values(tensor);
///
/// Const methods may be called from several threads at once. Source: docs/gguf.md of ggml-org/ggml.
class Gguf {
 public:
  struct Tensor {
    std::string_view name;
    const GgufTypeInfo* type;
    Shape shape;     ///< Outermost first; the file has the extents in the opposite order.
    uint64_t begin;  ///< First byte, counted from the beginning of the file.
    uint64_t size;   ///< In bytes.
  };

  /// Reads the header and checks everything except the numbers: metadata (see GgufMetadata); each tensor's name, type,
  /// shape and position; that tensors are aligned, inside the file and do not overlap. Memory is proportional to the
  /// number of keys and tensors, of which there are at most 65,536 each. Throws Error that names the file, the tensor
  /// or key, what was found and what was expected.
  explicit Gguf(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const GgufMetadata& metadata() const { return metadata_; }
  /// In the order of the data.
  const std::vector<Tensor>& tensors() const { return tensors_; }

  /// Null when no tensor has the name.
  const Tensor* find(std::string_view name) const;
  /// Throws Error when no tensor has the name.
  const Tensor& at(std::string_view name) const;
  /// Throws Error also when the tensor has another shape.
  const Tensor& at(std::string_view name, const Shape& shape) const;

  /// The tensor's bytes in the file, in blocks of its type. Throws Error when the file has become shorter.
  std::span<const std::byte> bytes(const Tensor& tensor) const;
  /// Decodes numbers [first, first + out.size()) of a tensor, in row-major order. `first` and the count must be
  /// multiples of the type's block size. Throws Error when they are not, or are outside the tensor.
  void read(const Tensor& tensor, int64_t first, std::span<float> out) const;
  /// All numbers of a tensor.
  std::vector<float> values(const Tensor& tensor) const;

 private:
  void read_tensors(uint64_t count, uint64_t at);
  void check_layout();

  std::filesystem::path path_;
  MappedFile file_;
  GgufMetadata metadata_;
  std::vector<Tensor> tensors_;
  std::vector<const Tensor*> by_name_;
};

}  // namespace tinyllm
