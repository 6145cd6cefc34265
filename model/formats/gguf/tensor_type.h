#pragma once

#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tinyllm {

/// The types of tensors that can be read, with their numbers in GGUF files. Types with a Q divide a row into blocks of
/// 32 or 256 numbers that share scales. Source: the block formats of ggml-org/ggml.
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
  const char* name;    ///< The format's name, such as Q4_K.
  int64_t block;       ///< The numbers in a block.
  size_t block_bytes;  ///< The size of a block in bytes.
  /// Decodes `blocks` blocks to exactly the numbers that ggml computes.
  void (*dequantize)(const std::byte* from, int64_t blocks, float* out);
};

/// Throws Error that names the type if it cannot be read.
const GgufTypeInfo& gguf_type(uint32_t number);
const GgufTypeInfo& gguf_type(GgufType type);
/// The type with this name, in upper or lower case. Throws Error that lists the types if there is none.
const GgufTypeInfo& gguf_type(std::string_view name);

/// The size of a tensor in bytes. Throws Error when a row is not a whole number of blocks.
uint64_t bytes_of(const GgufTypeInfo& type, const Shape& shape);

}  // namespace tinyllm
