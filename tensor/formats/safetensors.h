#pragma once

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm {

/// The name of an element type in these files: F32, I32, F16 or BF16.
const char* safetensors_name(DType dtype);

/// A file of named tensors: 8 bytes of header length, a JSON header, raw little-endian data.
/// Source: the format description of huggingface/safetensors.
/// Threads may share it.
class Safetensors {
 public:
  struct Entry {
    std::string name;
    std::string dtype;  ///< As in the file: F32, I32, F64, ...
    Shape shape;
    uint64_t begin;  ///< First byte, counted from the beginning of the data.
    uint64_t size;   ///< In bytes.

    /// Our element type for F32, I32, F16 and BF16; else empty.
    std::optional<DType> element_type() const;
  };

  /// Reads the header and checks the whole file: the header's length and form; the name, type, shape and position of
  /// every tensor; that the tensors cover the data without overlap or gap; and the data's checksum, if the metadata has
  /// one. Throws Error that names the file, the tensor, what was found and what was expected.
  explicit Safetensors(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  /// In the order of the data.
  const std::vector<Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// A whole number in the metadata, from 0 to `most`. Throws Error when it is missing or not such a number.
  int64_t number(const std::string& name, int64_t most = INT64_MAX) const;

  /// Null when no tensor has the name.
  const Entry* find(std::string_view name) const;
  /// Throws Error when no tensor has the name.
  const Entry& at(std::string_view name) const;
  /// Throws Error also when the tensor has another type or shape.
  const Entry& at(std::string_view name, std::string_view dtype, const Shape& shape) const;

  /// Copies a tensor from the file. Throws Error when `target` has another size, or the file has become shorter.
  void read(const Entry& entry, std::span<std::byte> target) const;
  /// Copies as many bytes of a tensor as `target` has, from byte `first` on. Throws Error when it has fewer.
  void read(const Entry& entry, uint64_t first, std::span<std::byte> target) const;
  /// Copies an F32 tensor of this shape. Throws Error when it is missing or has another type or shape.
  void read(std::string_view name, const Shape& shape, std::span<float> target) const;
  /// The numbers of a tensor. Throws Error when T is not its type (float F32, double F64, int32_t I32, Half F16,
  /// BFloat16 BF16).
  template <class T>
  std::vector<T> values(std::string_view name) const {
    const Entry& entry = at(name);
    if constexpr (std::is_same_v<T, double>) {
      check_type(entry, "F64");
    } else {
      check_type(entry, safetensors_name(dtype_of<T>()));
    }
    std::vector<T> values(static_cast<size_t>(entry.shape.size()));
    read(entry, std::as_writable_bytes(std::span(values)));
    return values;
  }

 private:
  void check_type(const Entry& entry, std::string_view dtype) const;
  void parse_header(std::string_view text);
  void check_layout();
  void check_sum() const;

  RandomAccessFile file_;
  uint64_t data_begin_ = 0;
  uint64_t data_size_ = 0;
  std::vector<Entry> entries_;
  std::vector<const Entry*> by_name_;
  std::map<std::string, std::string> metadata_;
};

/// A tensor to write, with elements of one of our types.
struct NamedTensor {
  std::string name;
  DType dtype;
  Shape shape;
  const void* data;
};
/// A tensor to write, of any type of the format.
struct RawTensor {
  std::string name;
  std::string dtype;
  Shape shape;
  std::span<const std::byte> bytes;
};

/// A tensor to write whose bytes are produced on demand. They are produced twice: for the checksum and for the file.
struct MadeTensor {
  std::string name;
  std::string dtype;
  Shape shape;
  uint64_t size;  ///< In bytes.
  std::function<void(const Append&)> write;
};

/// Writes a file, whole or not at all, with a checksum of its data (XXH3, metadata "xxh3").
/// Throws Error when it cannot be written, two tensors have one name, or a name or the metadata is not UTF-8.
void save_safetensors(const std::filesystem::path& path, const std::vector<MadeTensor>& tensors,
                      std::map<std::string, std::string> metadata = {});
void save_safetensors(const std::filesystem::path& path, const std::vector<RawTensor>& tensors,
                      std::map<std::string, std::string> metadata = {});
void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      std::map<std::string, std::string> metadata = {});

}  // namespace tinyllm
