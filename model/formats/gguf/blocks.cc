#include <tinyllm/model/formats/gguf/blocks.h>

#include <tinyllm/ops/convert.h>

#include <array>

namespace tinyllm::gguf {
namespace {

constexpr int kSmall = 32;  // The numbers in a small block.
constexpr int kGroups = 8;  // Groups of 32 in a block of 256.
constexpr int kGroup = 32;

// The table of values of the non-linear types.
constexpr float kNonLinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

uint32_t u16(const uint8_t* at) { return at[0] | uint32_t{at[1]} << 8; }
uint32_t u32(const uint8_t* at) { return u16(at) | u16(at + 2) << 16; }
float half(const uint8_t* at) { return to_float({static_cast<uint16_t>(u16(at))}); }

// Byte i holds number i in its lower four bits and number i + 16 in its upper four.
uint32_t nibble(const uint8_t* quants, int i) { return i < 16 ? quants[i] & 15u : quants[i - 16] >> 4; }

// Twelve bytes hold a scale and a minimum of six bits each for eight groups. Groups 0 to 3 are in the lower bits of the
// first eight bytes. Groups 4 to 7 are in the last four bytes, and their two upper bits in those of the first eight.
struct ScaleAndMin {
  float scale, min;
};
ScaleAndMin scale_and_min(const uint8_t* packed, int group) {
  const auto at = [&](int i) { return uint32_t{packed[i]}; };
  if (group < 4) return {static_cast<float>(at(group) & 63), static_cast<float>(at(group + 4) & 63)};
  return {static_cast<float>((at(group + 4) & 15) | at(group - 4) >> 6 << 4),
          static_cast<float>(at(group + 4) >> 4 | at(group) >> 6 << 4)};
}

// The four-bit quants of group g in Q4_K and Q5_K. Two groups share 32 bytes.
uint32_t pair_nibble(const uint8_t* quants, int group, int i) {
  return quants[group / 2 * kGroup + i] >> (group % 2 * 4) & 15u;
}

// A group of 16 numbers in a block of 256, whose two-bit quants take 64 bytes. Each half of the block has 32 bytes.
// Byte i of them holds numbers i, i + 32, i + 64 and i + 96 of its half.
struct Group16 {
  int index;
  int half;
  int shift;  // Position of the group's bits in a byte.
  int first;  // The group's first byte among the 32.
};
constexpr auto kGroups16 = [] {
  std::array<Group16, 16> groups{};
  for (int g = 0; g < 16; ++g) groups[static_cast<size_t>(g)] = {g, g / 8, g % 8 / 2 * 2, g % 2 * 16};
  return groups;
}();

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

// Layout: 16 bytes, each with the scale (lower four bits) and minimum (upper four) of a group of 16; 64 bytes of
// quants; d; m.
void dequantize_q2_k(const uint8_t* block, float* out) {
  const float d = half(block + 80), m = half(block + 82);
  for (const Group16 g : kGroups16) {
    const float scale = d * static_cast<float>(block[g.index] & 15u), min = m * static_cast<float>(block[g.index] >> 4);
    const uint8_t* quants = block + 16 + g.half * 32 + g.first;
    for (int i = 0; i < 16; ++i) *out++ = scale * static_cast<float>(quants[i] >> g.shift & 3u) - min;
  }
}

// Layout: 32 bytes with the third bit of each quant; 64 bytes with the lower two bits as in Q2_K; 12 bytes with the
// scales of groups of 16 (the lower four bits in the halves of the first eight bytes, the upper two in the last four
// bytes); d.
void dequantize_q3_k(const uint8_t* block, float* out) {
  const uint8_t* scales = block + 96;
  const float d = half(block + 108);
  for (const Group16 g : kGroups16) {
    const uint32_t lower = scales[g.index % 8] >> (g.index / 8 * 4) & 15u;
    const uint32_t upper = scales[8 + g.index % 4] >> (g.index / 4 * 2) & 3u;
    const float scale = d * static_cast<float>(static_cast<int>(lower | upper << 4) - 32);
    const uint8_t *quants = block + 32 + g.half * 32 + g.first, *thirds = block + g.first;
    const int third = g.half * 4 + g.shift / 2;
    for (int i = 0; i < 16; ++i) {
      const int q = (quants[i] >> g.shift & 3) | (thirds[i] >> third & 1) << 2;
      *out++ = scale * static_cast<float>(q - 4);
    }
  }
}

// Layout: d; m; 12 bytes of scales and minima; 128 bytes of quants.
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

// Layout: d; m; 12 bytes of scales and minima; 32 bytes of fifth bits (bit g of byte i is for number i of group g); 128
// bytes of quants.
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

// Layout: 128 bytes with the lower four bits; 64 bytes with the upper two bits, as the quants of Q2_K; 16 signed scales
// of groups of 16; d. Each half of the block has 64 of the 128 bytes. Byte i of them holds numbers i and i + 64 of its
// half.
void dequantize_q6_k(const uint8_t* block, float* out) {
  const float d = half(block + 208);
  for (const Group16 g : kGroups16) {
    const float scale = d * static_cast<float>(static_cast<int8_t>(block[192 + g.index]));
    const uint8_t* low = block + g.half * 64 + g.shift / 2 % 2 * 32 + g.first;
    const uint8_t* high = block + 128 + g.half * 32 + g.first;
    const int low_shift = g.shift / 4 * 4;
    for (int i = 0; i < 16; ++i) {
      const int q = (low[i] >> low_shift & 15) | (high[i] >> g.shift & 3) << 4;
      *out++ = scale * static_cast<float>(q - 32);
    }
  }
}

// Layout: d; 2 bytes with the upper two bits of each group's scale; 4 bytes with its lower four bits; 128 bytes of
// quants, 16 for each group of 32.
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
