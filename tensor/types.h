#pragma once

#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/names.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>

namespace tinyllm {

/// The precision of matrix products. With both, tensors and sums are float.
enum class Precision : uint8_t {
  fp32,
  bf16,  ///< Inputs of products are rounded to bfloat16 (8 bits of mantissa). Needs a CPU with AVX512-BF16.
};

constexpr auto names(Precision) { return std::array{"fp32", "bf16"}; }

/// Element types: what a tensor can be stored as, read as and converted to (ops/convert.h).
enum class DType : uint8_t { f32, i32, f16, bf16 };
inline constexpr DType f32 = DType::f32;
inline constexpr DType i32 = DType::i32;
inline constexpr DType f16 = DType::f16;
inline constexpr DType bf16 = DType::bf16;

constexpr auto names(DType) { return std::array{"f32", "i32", "f16", "bf16"}; }

/// Bytes of one element.
constexpr size_t size_of(DType dtype) { return dtype == f32 || dtype == i32 ? 4 : 2; }

/// The elements of f16 and bf16, by their bits: IEEE 754 half precision, and the upper half of a float.
struct Half {
  uint16_t bits;
  bool operator==(const Half&) const = default;
};
struct BFloat16 {
  uint16_t bits;
  bool operator==(const BFloat16&) const = default;
};

/// The element type that a C++ type is read and written as.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, int32_t>) return i32;
  if constexpr (std::is_same_v<T, Half>) return f16;
  if constexpr (std::is_same_v<T, BFloat16>) return bf16;
  static_assert(
      std::is_same_v<T, float> || std::is_same_v<T, int32_t> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>,
      "tensors hold float, int32_t, Half or BFloat16");
  return f32;
}

class Shape;
/// A format of packed weight matrices [N, K], which only matrix products read. ops/quantized.h defines the formats.
struct Format {
  const char* name;  ///< In files and options.
  /// Bytes of a matrix. Throws Error if the shape does not fit the format.
  size_t (*bytes)(const Shape& shape);
};

/// How the numbers of a tensor are stored: as elements of a type in row-major order, or as a packed matrix.
class Type {
 public:
  constexpr Type(DType dtype) : dtype_(dtype) {}
  constexpr Type(const Format& format) : format_(&format) {}

  bool is_packed() const { return format_ != nullptr; }
  /// Null unless packed.
  const Format* format() const { return format_; }
  /// Throws Error when the matrix is packed.
  DType dtype() const {
    if (is_packed()) throw Error("a packed {} matrix has no elements", format_->name);
    return dtype_;
  }
  /// In files and options: `f32`, `q8_0`.
  const char* name() const { return is_packed() ? format_->name : name_of(dtype_); }
  /// In messages: `f32`, `packed q8_0`.
  std::string str() const { return is_packed() ? fmt::format("packed {}", format_->name) : name_of(dtype_); }
  bool operator==(const Type&) const = default;

 private:
  DType dtype_ = f32;
  const Format* format_ = nullptr;
};

/// Extents of a tensor, outermost first. Elements are contiguous and row-major. An extent may be 0.
/// The product of the extents that are not 0 is at most kMaxElements, so that no product of some of them, and no number
/// of bytes, overflows.
class Shape {
 public:
  static constexpr int kMaxRank = 6;
  static constexpr int64_t kMaxElements = int64_t{1} << 56;

  Shape() = default;
  /// Throws Error on a rank above kMaxRank, an extent below 0, or more than kMaxElements.
  Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents) {
    if (extents.size() > kMaxRank) {
      throw Error("shape: rank {}, expected at most {}", extents.size(), kMaxRank);
    }
    for (const int64_t extent : extents) extents_[static_cast<size_t>(rank_++)] = extent;
    check();
  }

  int rank() const { return rank_; }
  /// Extent of axis `i`; a negative `i` counts from the end (-1 is the innermost).
  int64_t operator[](int i) const { return extents_[static_cast<size_t>(axis(i))]; }
  /// `i` as a non-negative axis. Throws Error when there is no such axis.
  int axis(int i) const {
    if (i < -rank_ || i >= rank_) throw Error("shape {}: no axis {}", str(), i);
    return i < 0 ? i + rank_ : i;
  }
  /// Number of elements in axes [from, to).
  int64_t size(int from, int to) const {
    int64_t product = 1;
    for (int i = from; i < to; ++i) product *= extents_[static_cast<size_t>(i)];
    return product;
  }
  int64_t size() const { return size(0, rank_); }
  /// Elements of one innermost row, and the number of such rows. A shape of rank 0 is one row of one element.
  int64_t row() const { return rank_ == 0 ? 1 : extents_[static_cast<size_t>(rank_ - 1)]; }
  int64_t rows() const { return rank_ == 0 ? 1 : size(0, rank_ - 1); }
  /// The same shape with axis `i` set to `extent`. Throws Error as the constructor does.
  Shape with(int i, int64_t extent) const {
    Shape shape = *this;
    shape.extents_[static_cast<size_t>(axis(i))] = extent;
    shape.check();
    return shape;
  }
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }
  bool operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }
  std::string str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ",")); }

 private:
  void check() const {
    int64_t product = 1;
    for (const int64_t extent : *this) {
      if (extent < 0) throw Error("shape {}: extent {}, expected 0 or more", str(), extent);
      if (__builtin_mul_overflow(product, std::max<int64_t>(extent, 1), &product) || product > kMaxElements) {
        throw Error("shape {}: too many elements, expected at most 2^56", str());
      }
    }
  }

  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

/// Bytes of a tensor. Throws Error if it is packed and its shape does not fit the format.
inline size_t bytes_of(Type type, const Shape& shape) {
  if (type.is_packed()) return type.format()->bytes(shape);
  return static_cast<size_t>(shape.size()) * size_of(type.dtype());
}

}  // namespace tinyllm

template <>
struct fmt::formatter<tinyllm::Shape> : fmt::formatter<std::string> {
  auto format(const tinyllm::Shape& shape, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(shape.str(), context);
  }
};
