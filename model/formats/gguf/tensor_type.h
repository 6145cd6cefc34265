#pragma once

#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tinyllm {

/// Types of tensors in GGUF files that can be read, with their numbers in the file. Those with a Q cut a row into
/// blocks of 32 or 256 numbers that share scales. Source: the block formats of ggml-org/ggml.
enum class GgufType : uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  IQ4_NL = 20,
  IQ4_XS = 23,
  BF16 = 30,
};

struct GgufTypeInfo {
  GgufType type;
  const char* name;    ///< As the format spells it: Q4_K.
  int64_t block;       ///< Numbers in a block.
  size_t block_bytes;  ///< Bytes of a block.
  /// Writes the numbers of `blocks` blocks, exactly as ggml computes them.
  void (*dequantize)(const std::byte* from, int64_t blocks, float* out);
};

/// Throws Error that names the type when it cannot be read.
const GgufTypeInfo& gguf_type(uint32_t number);
const GgufTypeInfo& gguf_type(GgufType type);
/// From a name in any case. Throws Error that lists the types when there is none.
const GgufTypeInfo& gguf_type(std::string_view name);

/// Bytes of a tensor. Throws Error when its rows are not whole blocks.
uint64_t bytes_of(const GgufTypeInfo& type, const Shape& shape);

}  // namespace tinyllm
