#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <vector>

// The formats of packed weight matrices. In q8_0 and q4_0, a row [K] is divided into blocks of 32 numbers, each with a
// scale d in half precision:
//
//   q8_0: w = d q, q from -127 to 127;   q4_0: w = d (q - 8), q from 0 to 15
//
// They are the formats of ggml (ggml-org/ggml), with 34 or 18 bytes for 32 numbers. `QuantizedMatrix` holds them as
// files do. For products they are packed into panels of 32 rows (`kernels/quantized.cc`). A block of a panel is the 32
// scales of its rows, then the quants: units of four bytes along k, for each unit all rows side by side. In q8_0, 128
// is added to each quant.
//
// bf16 has no scales: its numbers are elements of type bf16, 64 bytes for 32. Packed for `kernels/bf16_weights.cc`, a
// panel goes along k, with the numbers of all rows side by side at each k.
namespace tinyllm {

extern const Format kQ8_0, kQ4_0, kBf16Panels;
inline constexpr Type q8_0 = kQ8_0;
inline constexpr Type q4_0 = kQ4_0;
inline constexpr Type packed_bf16 = kBf16Panels;
inline constexpr Type kPackedTypes[] = {q8_0, q4_0, packed_bf16};

/// Whether the numbers of a block share a 16-bit scale, as in q8_0 and q4_0.
bool has_scales(Type type);

/// A matrix [N, K] as it is stored in files.
struct QuantizedMatrix {
  Type type;
  Shape shape;
  /// Row by row. q8_0: a signed byte per number. q4_0: 16 bytes per block; byte i has number i in its lower half and
  /// number i + 16 in its upper half. bf16: the elements.
  std::vector<std::byte> quants;
  std::vector<Half> scales;  ///< [N, K / 32]; empty for bf16.
};

/// Quantises a matrix. q8_0: the scale maps the largest magnitude of a block to 127. q4_0: some scales that map the
/// largest magnitude to an end of the range or near it are tried, and the one with the least squared error is used.
/// bf16: rounds as `convert` does, but to finite numbers only. Throws Error when `type` is not packed, K is not a
/// multiple of 32, or a weight is not finite.
QuantizedMatrix quantize(Type type, const Shape& shape, const float* w, ThreadPool& pool);

/// Packs a matrix as stored in a file into `bytes_of(type, shape)` bytes. `scales` has 2 bytes per scale, and is null
/// for bf16. Throws Error if a scale is not finite.
void pack_quantized(Type type, const Shape& shape, const std::byte* quants, const std::byte* scales, std::byte* packed,
                    ThreadPool& pool);

/// The numbers of one row of a packed matrix.
void dequantize_row(Type type, const Shape& shape, const std::byte* packed, int64_t row, float* out);

}  // namespace tinyllm
