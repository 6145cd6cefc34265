#include <tinyllm/model/formats/gguf/blocks.h>

#include <tinyllm/model/formats/gguf/half.h>

namespace tinyllm::gguf {
namespace {

constexpr int kSmall = 32;  // Numbers in a small block.
constexpr int kGroups = 8;  // Groups of 32 in a block of 256.
constexpr int kGroup = 32;

// The values that the non-linear types choose from.
constexpr float kNonLinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

uint32_t u16(const uint8_t* at) { return at[0] | uint32_t{at[1]} << 8; }
uint32_t u32(const uint8_t* at) { return u16(at) | u16(at + 2) << 16; }
float half(const uint8_t* at) { return float_of_f16(static_cast<uint16_t>(u16(at))); }

// Byte i has number i in its lower half, and number i + 16 in its upper one.
uint32_t nibble(const uint8_t* quants, int i) { return i < 16 ? quants[i] & 15u : quants[i - 16] >> 4; }

// Six bits of scale and six of minimum of each of eight groups in twelve bytes: the first four groups in the lower bits
// of the first eight bytes, the others in the last four bytes and the two upper bits of the first eight.
struct ScaleAndMin {
  float scale, min;
};
ScaleAndMin scale_and_min(const uint8_t* packed, int group) {
  const auto at = [&](int i) { return uint32_t{packed[i]}; };
  if (group < 4) return {static_cast<float>(at(group) & 63), static_cast<float>(at(group + 4) & 63)};
  return {static_cast<float>((at(group + 4) & 15) | at(group - 4) >> 6 << 4),
          static_cast<float>(at(group + 4) >> 4 | at(group) >> 6 << 4)};
}

// Four bits of group g of Q4_K and Q5_K: pairs of groups share 32 bytes.
uint32_t pair_nibble(const uint8_t* quants, int group, int i) {
  return quants[group / 2 * kGroup + i] >> (group % 2 * 4) & 15u;
}

}  // namespace

void dequantize_q4_0(const uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kSmall; ++i) out[i] = static_cast<float>(static_cast<int>(nibble(block + 2, i)) - 8) * d;
}

void dequantize_q4_1(const uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  for (int i = 0; i < kSmall; ++i) out[i] = static_cast<float>(nibble(block + 4, i)) * d + m;
}

void dequantize_q5_0(const uint8_t* block, float* out) {
  const float d = half(block);
  const uint32_t fifth = u32(block + 2);
  for (int i = 0; i < kSmall; ++i) {
    const auto q = static_cast<int>(nibble(block + 6, i) | (fifth >> i & 1u) << 4);
    out[i] = static_cast<float>(q - 16) * d;
  }
}

void dequantize_q5_1(const uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  const uint32_t fifth = u32(block + 4);
  for (int i = 0; i < kSmall; ++i) {
    out[i] = static_cast<float>(nibble(block + 8, i) | (fifth >> i & 1u) << 4) * d + m;
  }
}

void dequantize_q8_0(const uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kSmall; ++i) out[i] = static_cast<float>(static_cast<int8_t>(block[2 + i])) * d;
}

void dequantize_iq4_nl(const uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kSmall; ++i) out[i] = d * kNonLinear[nibble(block + 2, i)];
}

// 16 bytes of scales (lower half) and minima (upper half) of groups of 16; 64 bytes of quants; d; m. A byte of quants
// has numbers i, i + 32, i + 64 and i + 96 of one half of the block.
void dequantize_q2_k(const uint8_t* block, float* out) {
  const uint8_t* quants = block + 16;
  const float d = half(block + 80), m = half(block + 82);
  for (int i = 0; i < 256; ++i) {
    const uint8_t scale = block[i / 16];
    const uint32_t q = quants[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3u;
    const float group = d * static_cast<float>(scale & 15u), min = m * static_cast<float>(scale >> 4);
    out[i] = group * static_cast<float>(q) - min;
  }
}

// 32 bytes of third bits, bit i / 32 of byte i % 32; 64 bytes of quants as in Q2_K; 12 bytes of scales of groups of 16:
// four lower bits in the halves of the first eight bytes, two upper ones in the last four; d.
void dequantize_q3_k(const uint8_t* block, float* out) {
  const uint8_t *quants = block + 32, *scales = block + 96;
  const float d = half(block + 108);
  for (int i = 0; i < 256; ++i) {
    const int g = i / 16;
    const uint32_t lower = scales[g % 8] >> (g / 8 * 4) & 15u, upper = scales[8 + g % 4] >> (g / 4 * 2) & 3u;
    const float group = d * static_cast<float>(static_cast<int>(lower | upper << 4) - 32);
    const uint32_t q = quants[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3u;
    const uint32_t third = block[i % 32] >> (i / 32) & 1u;
    out[i] = group * static_cast<float>(static_cast<int>(q | third << 2) - 4);
  }
}

// d; m; 12 bytes of scales and minima; 128 bytes of quants.
void dequantize_q4_k(const uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  for (int g = 0; g < kGroups; ++g) {
    const ScaleAndMin factors = scale_and_min(block + 4, g);
    const float group = d * factors.scale, min = m * factors.min;
    for (int i = 0; i < kGroup; ++i) {
      out[g * kGroup + i] = group * static_cast<float>(pair_nibble(block + 16, g, i)) - min;
    }
  }
}

// d; m; 12 bytes of scales and minima; 32 bytes of fifth bits, bit g of byte i; 128 bytes of quants.
void dequantize_q5_k(const uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  for (int g = 0; g < kGroups; ++g) {
    const ScaleAndMin factors = scale_and_min(block + 4, g);
    const float group = d * factors.scale, min = m * factors.min;
    for (int i = 0; i < kGroup; ++i) {
      const uint32_t fifth = block[16 + i] >> g & 1u;
      out[g * kGroup + i] = group * static_cast<float>(pair_nibble(block + 48, g, i) | fifth << 4) - min;
    }
  }
}

// 128 bytes of lower halves, 64 bytes of two upper bits, 16 scales with sign of groups of 16; d. In each half of the
// block, 64 bytes have numbers i and i + 64, and 32 bytes have the upper bits of i, i + 32, i + 64 and i + 96.
void dequantize_q6_k(const uint8_t* block, float* out) {
  const uint8_t *upper = block + 128, *scales = block + 192;
  const float d = half(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int h = i / 128, j = i % 128;
    const uint32_t low = block[h * 64 + j % 64] >> (j / 64 * 4) & 15u;
    const uint32_t high = upper[h * 32 + j % 32] >> (j / 32 * 2) & 3u;
    const float group = d * static_cast<float>(static_cast<int8_t>(scales[i / 16]));
    out[i] = group * static_cast<float>(static_cast<int>(low | high << 4) - 32);
  }
}

// d; 2 bytes with two upper bits of each group's scale; 4 bytes with its four lower bits; 128 bytes of quants, 16 for
// each group of 32.
void dequantize_iq4_xs(const uint8_t* block, float* out) {
  const float d = half(block);
  const uint32_t upper = u16(block + 2);
  for (int g = 0; g < kGroups; ++g) {
    const uint32_t low = block[4 + g / 2] >> (g % 2 * 4) & 15u, high = upper >> (g * 2) & 3u;
    const float group = d * static_cast<float>(static_cast<int>(low | high << 4) - 32);
    for (int i = 0; i < kGroup; ++i) out[g * kGroup + i] = group * kNonLinear[nibble(block + 8 + g * 16, i)];
  }
}

}  // namespace tinyllm::gguf
