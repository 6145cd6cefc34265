#include <tinyllm/ops/quantized.h>

#include <tinyllm/ops/detail/parallel.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <span>

namespace tinyllm {
namespace {

constexpr int64_t kBlock = kQuantBlock;
constexpr int64_t kPanel = kQuantPanel;
constexpr uint8_t kOffset = 128;  // Of packed q8_0.

// Half precision through floats whose exponents are 112 less: subnormal halves are subnormal floats.
constexpr float kDown = 0x1p-112f, kUp = 0x1p112f;

float to_float(uint16_t half) {
  const float size = std::bit_cast<float>((half & 0x7FFFu) << 13) * kUp;
  return (half & 0x8000u) != 0 ? -size : size;
}

uint16_t to_half(float x) {
  constexpr float kMost = 65504;
  const auto bits = std::bit_cast<uint32_t>(std::min(std::abs(x), kMost) * kDown);
  const uint32_t rounded = (bits + 0xFFF + (bits >> 13 & 1)) >> 13;  // To the even one of two as near.
  return static_cast<uint16_t>(rounded | (std::signbit(x) ? 0x8000u : 0u));
}

bool is_finite(uint16_t half) { return (half & 0x7C00u) != 0x7C00u; }

int whole(float x, int least, int most) {
  return static_cast<int>(std::clamp(std::nearbyint(x), float(least), float(most)));
}

float greatest(std::span<const float> block) {
  float most = 0;
  for (const float x : block) most = std::abs(x) > std::abs(most) ? x : most;
  return most;
}

uint16_t quantize_q8(std::span<const float> block, std::byte* quants) {
  const uint16_t scale = to_half(std::abs(greatest(block)) / 127);
  const float d = to_float(scale);
  for (size_t i = 0; i < block.size(); ++i) {
    quants[i] = static_cast<std::byte>(d > 0 ? whole(block[i] / d, -127, 127) : 0);
  }
  return scale;
}

// For given q, the d of least squares is sum(w q) / sum(q^2), and what it leaves is sum(w^2) - sum(w q)^2 / sum(q^2).
uint16_t quantize_q4(std::span<const float> block, std::byte* quants) {
  constexpr float kEnds[] = {-8, -9, -8.5f, -7.5f, -7, -6.5f, -6};  // Where the greatest magnitude goes.
  const float most = greatest(block);
  float best = 0, scale = 0;
  for (const float end : kEnds) {
    float products = 0, squares = 0;
    for (const float w : block) {
      const auto q = static_cast<float>(most != 0 ? whole(w * (end / most), -8, 7) : 0);
      products += w * q;
      squares += q * q;
    }
    if (squares > 0 && products * products > best * squares) {
      best = products * products / squares;
      scale = products / squares;
    }
  }
  const uint16_t half = to_half(scale);
  const float d = to_float(half);
  const auto code = [&](float w) { return static_cast<unsigned>(d != 0 ? whole(w / d, -8, 7) + 8 : 8); };
  for (size_t i = 0; i < block.size() / 2; ++i) {
    quants[i] = static_cast<std::byte>(code(block[i]) | code(block[i + block.size() / 2]) << 4);
  }
  return half;
}

void quantize_bf16(std::span<const float> block, std::byte* quants) {
  const float most = std::bit_cast<float>(0x7F7F0000u);
  for (size_t i = 0; i < block.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(std::clamp(block[i], -most, most));
    const auto rounded = static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    std::memcpy(quants + i * sizeof rounded, &rounded, sizeof rounded);
  }
}

size_t block_quants(DType dtype) { return quant_block_bytes(dtype) - (has_scales(dtype) ? sizeof(uint16_t) : 0); }

// A panel of rows of numbers of 16 bits, of which fewer may be real.
void pack_bf16_panel(int64_t rows, int64_t k, const std::byte* from, std::byte* to) {
  constexpr int64_t kBytes = 2;
  for (int64_t j = 0; j < rows; ++j) {
    for (int64_t p = 0; p < k; ++p) std::memcpy(to + (p * kPanel + j) * kBytes, from + (j * k + p) * kBytes, kBytes);
  }
}

}  // namespace

QuantizedMatrix quantize(DType dtype, const Shape& shape, const float* w, ThreadPool& pool) {
  bytes_of(dtype, shape);  // Throws where it cannot be.
  const int64_t blocks = shape.size() / kBlock;
  const size_t size = block_quants(dtype);
  QuantizedMatrix matrix{dtype, shape, std::vector<std::byte>(static_cast<size_t>(blocks) * size),
                         std::vector<uint16_t>(static_cast<size_t>(has_scales(dtype) ? blocks : 0))};
  parallel_ranges(pool, blocks, row_grain(kBlock), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const std::span block(w + b * kBlock, static_cast<size_t>(kBlock));
      for (const float x : block) {
        if (!std::isfinite(x)) throw Error("a weight is {}: expected a number to quantise", x);
      }
      std::byte* quants = matrix.quants.data() + static_cast<size_t>(b) * size;
      if (dtype == bf16) {
        quantize_bf16(block, quants);
      } else {
        matrix.scales[static_cast<size_t>(b)] = dtype == q8_0 ? quantize_q8(block, quants) : quantize_q4(block, quants);
      }
    }
  });
  return matrix;
}

void pack_quantized(DType dtype, const Shape& shape, const std::byte* quants, const std::byte* scales,
                    std::byte* packed, ThreadPool& pool) {
  const int64_t blocks = shape[1] / kBlock;
  const size_t panel_bytes = bytes_of(dtype, {kPanel, shape[1]});
  const size_t size = block_quants(dtype);
  const auto mask = static_cast<std::byte>(dtype == q8_0 ? kOffset : 0);
  pool.parallel_for((shape[0] + kPanel - 1) / kPanel, [&](int64_t panel) {
    std::byte* to = packed + static_cast<size_t>(panel) * panel_bytes;
    std::fill_n(to, panel_bytes, std::byte{0});  // Rows beyond the last have scales of 0, or are zeros.
    const int64_t rows = std::min(kPanel, shape[0] - panel * kPanel);
    if (dtype == bf16) return pack_bf16_panel(rows, shape[1], quants + panel * kPanel * shape[1] * 2, to);
    for (int64_t b = 0; b < blocks; ++b, to += kPanel * int64_t(quant_block_bytes(dtype))) {
      for (int64_t j = 0; j < rows; ++j) {
        const auto from = static_cast<size_t>((panel * kPanel + j) * blocks + b);
        uint16_t scale = 0;
        std::memcpy(&scale, scales + from * sizeof scale, sizeof scale);
        if (!is_finite(scale)) throw Error("the scale of block {} is not finite", from);
        std::memcpy(to + 2 * j, &scale, sizeof scale);
        for (size_t i = 0; i < size; ++i) {
          to[2 * kPanel + int64_t(i) / 4 * 4 * kPanel + 4 * j + int64_t(i) % 4] = quants[from * size + i] ^ mask;
        }
      }
    }
  });
}

void dequantize_row(DType dtype, const Shape& shape, const std::byte* packed, int64_t row, float* out) {
  const int64_t j = row % kPanel;
  const std::byte* block = packed + static_cast<size_t>(row / kPanel) * bytes_of(dtype, {kPanel, shape[1]});
  if (dtype == bf16) {
    for (int64_t k = 0; k < shape[1]; ++k) {
      uint16_t upper = 0;
      std::memcpy(&upper, block + (k * kPanel + j) * 2, sizeof upper);
      out[k] = std::bit_cast<float>(uint32_t{upper} << 16);
    }
    return;
  }
  for (int64_t k = 0; k < shape[1]; k += kBlock, block += kPanel * int64_t(quant_block_bytes(dtype))) {
    uint16_t scale = 0;
    std::memcpy(&scale, block + 2 * j, sizeof scale);
    const float d = to_float(scale);
    const auto at = [&](int64_t i) { return static_cast<int>(block[2 * kPanel + i / 4 * 4 * kPanel + 4 * j + i % 4]); };
    for (int64_t i = 0; i < kBlock; ++i) {
      const int code = dtype == q8_0 ? at(i) - kOffset : (i < kBlock / 2 ? at(i) & 15 : at(i - kBlock / 2) >> 4) - 8;
      out[k + i] = d * static_cast<float>(code);
    }
  }
}

}  // namespace tinyllm
