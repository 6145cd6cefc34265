#pragma once

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/types.h>

#include <map>
#include <string>
#include <vector>

namespace tinyllm {

/// A file of named tensors: 8 bytes of header length, a JSON header, raw little-endian data.
/// Source: the format description of huggingface/safetensors.
class Safetensors {
 public:
  struct Entry {
    std::string name;
    std::string dtype;  ///< As in the file: F32, I32, F64, ...
    Shape shape;
    std::span<const std::byte> bytes;
  };

  /// Maps the file and checks it as a whole: the header's length and form, and of every tensor name, type, shape and
  /// place; tensors cover the data without overlap or gap; data must agree with the checksum where the file has one.
  /// Throws Error that names the file, the tensor, what was found and what was expected.
  explicit Safetensors(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of the data.
  const std::vector<Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// A whole number of the metadata, 0 or more. Throws Error when it is missing or is none.
  int64_t number(const std::string& name) const;
  /// Throws Error when there is none of that name.
  const Entry& at(std::string_view name) const;

  /// Copies a tensor of numbers out. Throws Error when T is not its type (float F32, double F64, int32_t I32).
  template <class T>
  std::vector<T> values(std::string_view name) const {
    const Entry& entry = at(name);
    std::vector<T> values(static_cast<size_t>(entry.shape.size()));
    copy(entry, std::as_writable_bytes(std::span(values)),
         std::is_same_v<T, float>    ? "F32"
         : std::is_same_v<T, double> ? "F64"
                                     : "I32");
    return values;
  }
  /// Copies an F32 tensor of this shape. Throws Error when it is missing or is another.
  void read(std::string_view name, const Shape& shape, std::span<float> target) const;
  /// A tensor of this type and shape. Throws Error when it is missing or is another.
  const Entry& at(std::string_view name, std::string_view dtype, const Shape& shape) const;

 private:
  void check_type(const Entry& entry, std::string_view dtype) const;
  void copy(const Entry& entry, std::span<std::byte> target, std::string_view dtype) const;
  void parse_header(std::string_view json, std::span<const std::byte> data);
  void check_layout(size_t data_size);
  void check_sum(std::span<const std::byte> data) const;

  std::filesystem::path path_;
  MappedFile file_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// A tensor to be written, F32 or I32.
struct NamedTensor {
  std::string name;
  DType dtype;
  Shape shape;
  const void* data;
};

/// Writes a file, whole or not at all, with a checksum of its data (XXH3, metadata "xxh3").
/// Throws Error when it cannot be written or two tensors have one name.
void save_safetensors(const std::filesystem::path& path, const std::vector<Safetensors::Entry>& entries,
                      std::map<std::string, std::string> metadata = {});
void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      std::map<std::string, std::string> metadata = {});

}  // namespace tinyllm
