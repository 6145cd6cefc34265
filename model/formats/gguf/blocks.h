#pragma once

#include <cstddef>
#include <cstdint>

// Decodes one block of each quantised type of ggml. `d` and `m` are scales in half precision. A quant q is stored
// without a sign.
namespace tinyllm::gguf {

/// Blocks of 32.
void dequantize_q4_0(const uint8_t* block, float* out);    // d (q - 8)
void dequantize_q4_1(const uint8_t* block, float* out);    // d q + m
void dequantize_q5_0(const uint8_t* block, float* out);    // d (q - 16)
void dequantize_q5_1(const uint8_t* block, float* out);    // d q + m
void dequantize_q8_0(const uint8_t* block, float* out);    // d q, where q has a sign
void dequantize_iq4_nl(const uint8_t* block, float* out);  // d table[q]

/// Blocks of 256, cut into groups of 16 or 32 whose scales s (and minima t) are quantised too.
void dequantize_q2_k(const uint8_t* block, float* out);    // (d s) q - (m t)
void dequantize_q3_k(const uint8_t* block, float* out);    // (d (s - 32)) (q - 4)
void dequantize_q4_k(const uint8_t* block, float* out);    // (d s) q - (m t)
void dequantize_q5_k(const uint8_t* block, float* out);    // (d s) q - (m t)
void dequantize_q6_k(const uint8_t* block, float* out);    // (d s) (q - 32)
void dequantize_iq4_xs(const uint8_t* block, float* out);  // (d (s - 32)) table[q]

}  // namespace tinyllm::gguf
