#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Types of values in the metadata of a GGUF file, with their numbers in the file.
enum class GgufValueType : uint32_t {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  float32,
  boolean,
  string,
  array,
  uint64,
  int64,
  float64
};

/// The metadata of a GGUF file: values by key. It points into the bytes of the file and reads a value only on request,
/// so its memory is proportional to the number of keys.
class GgufMetadata {
 public:
  /// Checks `count` keys and values from position `at` of `bytes` on, and moves `at` past them. Throws Error that
  /// begins with `what` on a value that is cut short, an unknown type, arrays nested deeper than 8, more than 65,536
  /// keys, and a key that is a duplicate, empty, not UTF-8, or longer than 65,535 bytes.
  GgufMetadata(std::span<const std::byte> bytes, uint64_t count, uint64_t& at, std::string what);
  GgufMetadata() = default;

  bool has(std::string_view key) const { return find_entry(key) != nullptr; }
  bool is_array(std::string_view key) const;
  /// All keys, sorted by their bytes.
  std::vector<std::string_view> keys() const;

  /// The value of a key, or nothing. T is bool, int64_t (any whole number), double (float32 or float64),
  /// std::string_view, or a std::vector of int64_t, float or std::string_view. Throws Error that names the key, what it
  /// is and what was expected, when it has another type or its number does not fit.
  template <class T>
  std::optional<T> find(std::string_view key) const;
  /// The same; throws Error also when the key is missing.
  template <class T>
  T get(std::string_view key) const {
    std::optional<T> value = find<T>(key);
    if (!value) fail_missing(key);
    return *std::move(value);
  }

 private:
  struct Entry {
    std::string_view key;
    GgufValueType type;
    std::span<const std::byte> value;
  };
  const Entry* find_entry(std::string_view key) const;
  [[noreturn]] void fail_missing(std::string_view key) const;
  [[noreturn]] void fail_type(const Entry& entry, std::string_view expected) const;
  int64_t whole(const Entry& entry, GgufValueType type, const std::byte* value) const;
  struct Array {
    GgufValueType type;
    uint64_t count;
    std::span<const std::byte> values;
  };
  Array array(const Entry& entry, std::string_view expected) const;

  std::string what_;
  std::vector<Entry> entries_;  // Sorted by key.
};

}  // namespace tinyllm
