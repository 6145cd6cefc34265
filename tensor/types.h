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

/// What matrix products compute with. Tensors hold float and sums are float with both.
enum class Precision : uint8_t {
  fp32,
  bf16,  ///< Inputs of products are rounded to bfloat16 (8 bits of mantissa). Needs a CPU with AVX512-BF16.
};

constexpr auto names(Precision) { return std::array{"fp32", "bf16"}; }

/// Element type of a tensor. q8_0, q4_0 and bf16 are read-only weight matrices [N, K], stored packed for multiplication
/// as ops/quantized.h describes.
enum class DType : uint8_t { f32, i32, q8_0, q4_0, bf16 };
inline constexpr DType f32 = DType::f32;
inline constexpr DType i32 = DType::i32;
inline constexpr DType q8_0 = DType::q8_0;
inline constexpr DType q4_0 = DType::q4_0;
inline constexpr DType bf16 = DType::bf16;

constexpr bool is_quantized(DType dtype) { return dtype != f32 && dtype != i32; }
constexpr auto names(DType) { return std::array{"f32", "i32", "q8_0", "q4_0", "bf16"}; }

/// Bytes of one element of a type that is not quantised.
constexpr size_t size_of(DType) { return 4; }

/// Numbers in a block of a quantised row, and rows that are packed together.
inline constexpr int64_t kQuantBlock = 32;
inline constexpr int64_t kQuantPanel = 32;
/// Whether the numbers of a block share a scale of 16 bits.
constexpr bool has_scales(DType dtype) { return dtype == q8_0 || dtype == q4_0; }
/// Bytes of a block: its scale if it has one, then 2, 1 or 1/2 bytes for each number.
constexpr size_t quant_block_bytes(DType dtype) { return dtype == bf16 ? 64 : dtype == q8_0 ? 34 : 18; }

/// The element type that a C++ type is read and written as.
template <class T>
constexpr DType dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, int32_t>, "tensors hold float or int32_t");
  return std::is_same_v<T, float> ? f32 : i32;
}

/// Extents of a tensor, outermost first. Every tensor is contiguous and row-major. An extent may be 0.
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

/// Bytes of a tensor. Throws Error when it is quantised and is not a matrix of whole blocks.
inline size_t bytes_of(DType dtype, const Shape& shape) {
  if (!is_quantized(dtype)) return static_cast<size_t>(shape.size()) * size_of(dtype);
  if (shape.rank() != 2 || shape[1] % kQuantBlock != 0) {
    throw Error("{} {}: expected [N, K], K a multiple of {}", name_of(dtype), shape.str(), kQuantBlock);
  }
  const int64_t panels = (shape[0] + kQuantPanel - 1) / kQuantPanel;
  return static_cast<size_t>(panels * kQuantPanel * (shape[1] / kQuantBlock)) * quant_block_bytes(dtype);
}

}  // namespace tinyllm

template <>
struct fmt::formatter<tinyllm::Shape> : fmt::formatter<std::string> {
  auto format(const tinyllm::Shape& shape, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(shape.str(), context);
  }
};
