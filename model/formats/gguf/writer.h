#pragma once

#include <tinyllm/model/formats/gguf/tensor_type.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

enum class GgufValueType : uint32_t;

/// The type for a tensor in a file of type `wanted`, as other programs expect it: F32 for norms and biases, and F16 if
/// a row is not a whole number of blocks.
GgufType gguf_type_for(GgufType wanted, const Shape& shape);

/// The number of a type in `general.file_type`. Throws Error if files of this type cannot be written.
uint32_t gguf_file_type(GgufType type);

/// Writes a GGUF file of version 3: metadata and tensors in the order in which they are added.
class GgufWriter {
 public:
  /// Adds a value to the metadata. Throws Error if the key exists.
  void add(std::string_view key, uint32_t value);
  void add(std::string_view key, float value);
  void add(std::string_view key, bool value);
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
  void add(std::string_view key, const std::vector<std::string>& values);
  void add(std::string_view key, const std::vector<float>& values);
  void add(std::string_view key, const std::vector<int32_t>& values);

  /// Gives the numbers of some rows, from `first` on, while the file is written.
  using Rows = std::function<void(int64_t first, std::span<float> rows)>;
  /// Adds a tensor of type F32, F16, BF16, Q8_0 or Q4_0. Throws Error on another type, rows that are not whole blocks,
  /// more than 4 axes, and a name that exists, is empty, or has more than 63 bytes.
  void add_tensor(std::string name, GgufType type, const Shape& shape, Rows rows);

  /// Writes the file, completely or not at all, with only some rows of one tensor in memory. Rounds to nearest even;
  /// q8_0 and q4_0 round as in `quantize`. Throws Error when it cannot be written, or when a number is not finite or
  /// too large for the type.
  /// `on_progress` counts the numbers; throws Stopped when it returns false.
  void save(const std::filesystem::path& path, ThreadPool& pool, const OnProgress& on_progress = {}) const;

 private:
  struct Tensor {
    std::string name;
    GgufType type;
    Shape shape;
    Rows rows;
  };
  void begin_value(std::string_view key, GgufValueType type);
  std::string header() const;

  std::string values_;  // Keys and values in the format of the file.
  std::set<std::string, std::less<>> keys_;
  std::vector<Tensor> tensors_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace tinyllm
