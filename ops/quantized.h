#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <vector>

// The formats of packed matrices of weights. In two of them a row [K] is cut into blocks of 32, each with a scale d in
// half precision:
//
//   q8_0: w = d q, q from -127 to 127;   q4_0: w = d (q - 8), q from 0 to 15
//
// They are those of ggml (ggml-org/ggml), and `QuantizedMatrix` is how files hold them: 34 or 18 bytes for 32 numbers.
// For products they are packed (`kernels/quantized.cc`): rows in panels of 32, and of each block of a panel the 32
// scales, then units of four bytes along k, each with all rows side by side; q8_0 with 128 added.
//
// bf16 has no scales: its numbers are elements of the type of that name, 64 bytes for 32. Packed for
// `kernels/bf16_weights.cc`, a panel has number after number along k, each with all rows side by side.
namespace tinyllm {

extern const Format kQ8_0, kQ4_0, kBf16Panels;
inline constexpr Type q8_0 = kQ8_0;
inline constexpr Type q4_0 = kQ4_0;
inline constexpr Type packed_bf16 = kBf16Panels;
inline constexpr Type kPackedTypes[] = {q8_0, q4_0, packed_bf16};

/// Whether the numbers of a block share a scale of 16 bits, as in q8_0 and q4_0.
bool has_scales(Type type);

/// A matrix [N, K] as files hold it.
struct QuantizedMatrix {
  Type type;
  Shape shape;
  /// Row after row: q8_0 a signed byte for each number; q4_0 of each block 16 bytes, byte i with number i in its lower
  /// half and number i + 16 in its upper one; bf16 its elements.
  std::vector<std::byte> quants;
  std::vector<Half> scales;  ///< [N, K / 32]; none of bf16.
};

/// Quantises: q8_0 by the greatest magnitude of a block, q4_0 by the scale of least squares among some that bring the
/// greatest magnitude to an end of the range or near it, bf16 as `convert` rounds, but to the largest finite number at
/// most. Throws Error when `type` is not packed, K is not a multiple of 32, or a weight is not finite.
QuantizedMatrix quantize(Type type, const Shape& shape, const float* w, ThreadPool& pool);

/// Packs what a file holds, `scales` being of 2 bytes each or, of bf16, null, into `bytes_of(type, shape)` bytes. A
/// bf16 matrix is packed from its elements, without floats in between. Throws Error on a scale that is not finite.
void pack_quantized(Type type, const Shape& shape, const std::byte* quants, const std::byte* scales, std::byte* packed,
                    ThreadPool& pool);

/// The numbers of one row of a packed matrix.
void dequantize_row(Type type, const Shape& shape, const std::byte* packed, int64_t row, float* out);

}  // namespace tinyllm
