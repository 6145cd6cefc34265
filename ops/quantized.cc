#include <tinyllm/ops/quantized.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <span>

namespace tinyllm {
namespace {

constexpr int64_t kBlock = kernels::kQuantBlock;
constexpr int64_t kPanel = kernels::kQuantPanel;
constexpr uint8_t kOffset = 128;  // Added to each quant of packed q8_0.

// Bytes of a block: its scale, if it has one, and 1, 1/2 or 2 bytes per number.
constexpr size_t kQ8Bytes = 34, kQ4Bytes = 18, kBf16Bytes = 64;

size_t packed_bytes(const Format& format, size_t block_bytes, const Shape& shape) {
  if (shape.rank() != 2 || shape[1] % kBlock != 0) {
    throw Error("{} {}: expected [N, K], K a multiple of {}", format.name, shape, kBlock);
  }
  const int64_t panels = (shape[0] + kPanel - 1) / kPanel;
  return static_cast<size_t>(panels * kPanel * (shape[1] / kBlock)) * block_bytes;
}

int64_t block_bytes(Type type) {
  return static_cast<int64_t>(type == q8_0 ? kQ8Bytes : type == q4_0 ? kQ4Bytes : kBf16Bytes);
}

Half to_half(float x) {
  constexpr float kMost = 65504;
  const float bounded = std::clamp(x, -kMost, kMost);
  Half half{};
  convert(std::span(&bounded, 1), std::span(&half, 1));
  return half;
}

bool is_finite(Half half) { return (half.bits & 0x7C00u) != 0x7C00u; }

int whole(float x, int least, int most) {
  return static_cast<int>(std::clamp(std::nearbyint(x), float(least), float(most)));
}

float greatest(std::span<const float> block) {
  float most = 0;
  for (const float x : block) most = std::abs(x) > std::abs(most) ? x : most;
  return most;
}

Half quantize_q8(std::span<const float> block, std::byte* quants) {
  const Half scale = to_half(std::abs(greatest(block)) / 127);
  const float d = to_float(scale);
  for (size_t i = 0; i < block.size(); ++i) {
    quants[i] = static_cast<std::byte>(d > 0 ? whole(block[i] / d, -127, 127) : 0);
  }
  return scale;
}

// For given q, the squared error is least for d = sum(w q) / sum(q^2), and is then sum(w^2) - sum(w q)^2 / sum(q^2).
Half quantize_q4(std::span<const float> block, std::byte* quants) {
  constexpr float kEnds[] = {-8, -9, -8.5f, -7.5f, -7, -6.5f, -6};  // The largest magnitude is mapped to one of these.
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
  const Half half = to_half(scale);
  const float d = to_float(half);
  const auto code = [&](float w) { return static_cast<unsigned>(d != 0 ? whole(w / d, -8, 7) + 8 : 8); };
  for (size_t i = 0; i < block.size() / 2; ++i) {
    quants[i] = static_cast<std::byte>(code(block[i]) | code(block[i + block.size() / 2]) << 4);
  }
  return half;
}

void quantize_bf16(std::span<const float> block, std::byte* quants) {
  const float most = std::bit_cast<float>(0x7F7F0000u);
  std::array<float, kBlock> bounded{};
  std::transform(block.begin(), block.end(), bounded.begin(), [&](float x) { return std::clamp(x, -most, most); });
  convert(bounded, std::span(reinterpret_cast<BFloat16*>(quants), bounded.size()));
}

size_t block_quants(Type type) {
  return static_cast<size_t>(block_bytes(type)) - (has_scales(type) ? sizeof(Half) : 0);
}

// Packs a panel of 16-bit numbers. The last panel may have fewer rows.
void pack_bf16_panel(int64_t rows, int64_t k, const std::byte* from, std::byte* to) {
  constexpr int64_t kBytes = 2;
  for (int64_t j = 0; j < rows; ++j) {
    for (int64_t p = 0; p < k; ++p) std::memcpy(to + (p * kPanel + j) * kBytes, from + (j * k + p) * kBytes, kBytes);
  }
}

}  // namespace

constinit const Format kQ8_0 = {"q8_0", [](const Shape& shape) { return packed_bytes(kQ8_0, kQ8Bytes, shape); }};
constinit const Format kQ4_0 = {"q4_0", [](const Shape& shape) { return packed_bytes(kQ4_0, kQ4Bytes, shape); }};
constinit const Format kBf16Panels = {"bf16",
                                      [](const Shape& shape) { return packed_bytes(kBf16Panels, kBf16Bytes, shape); }};

bool has_scales(Type type) { return type == q8_0 || type == q4_0; }

QuantizedMatrix quantize(Type type, const Shape& shape, const float* w, ThreadPool& pool) {
  if (!type.is_packed()) throw Error("quantize: {} is not a packed format", type.str());
  bytes_of(type, shape);  // Throws Error if the shape does not fit the format.
  const int64_t blocks = shape.size() / kBlock;
  const size_t size = block_quants(type);
  QuantizedMatrix matrix{type, shape, std::vector<std::byte>(static_cast<size_t>(blocks) * size),
                         std::vector<Half>(static_cast<size_t>(has_scales(type) ? blocks : 0))};
  parallel_ranges(pool, blocks, row_grain(kBlock), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const std::span block(w + b * kBlock, static_cast<size_t>(kBlock));
      for (const float x : block) {
        if (!std::isfinite(x)) throw Error("a weight is {}: expected a number to quantise", x);
      }
      std::byte* quants = matrix.quants.data() + static_cast<size_t>(b) * size;
      if (type == packed_bf16) {
        quantize_bf16(block, quants);
      } else {
        matrix.scales[static_cast<size_t>(b)] = type == q8_0 ? quantize_q8(block, quants) : quantize_q4(block, quants);
      }
    }
  });
  return matrix;
}

void pack_quantized(Type type, const Shape& shape, const std::byte* quants, const std::byte* scales, std::byte* packed,
                    ThreadPool& pool) {
  const int64_t blocks = shape[1] / kBlock;
  const size_t panel_bytes = bytes_of(type, {kPanel, shape[1]});
  const size_t size = block_quants(type);
  const auto mask = static_cast<std::byte>(type == q8_0 ? kOffset : 0);
  pool.parallel_for((shape[0] + kPanel - 1) / kPanel, [&](int64_t panel) {
    std::byte* to = packed + static_cast<size_t>(panel) * panel_bytes;
    std::fill_n(to, panel_bytes, std::byte{0});  // Rows beyond the last are zeros, or have scales of 0.
    const int64_t rows = std::min(kPanel, shape[0] - panel * kPanel);
    if (type == packed_bf16) return pack_bf16_panel(rows, shape[1], quants + panel * kPanel * shape[1] * 2, to);
    for (int64_t b = 0; b < blocks; ++b, to += kPanel * block_bytes(type)) {
      for (int64_t j = 0; j < rows; ++j) {
        const auto from = static_cast<size_t>((panel * kPanel + j) * blocks + b);
        Half scale{};
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

void dequantize_row(Type type, const Shape& shape, const std::byte* packed, int64_t row, float* out) {
  const int64_t j = row % kPanel;
  const std::byte* block = packed + static_cast<size_t>(row / kPanel) * bytes_of(type, {kPanel, shape[1]});
  if (type == packed_bf16) {
    for (int64_t k = 0; k < shape[1]; ++k) {
      BFloat16 number{};
      std::memcpy(&number, block + (k * kPanel + j) * 2, sizeof number);
      out[k] = std::bit_cast<float>(uint32_t{number.bits} << 16);
    }
    return;
  }
  for (int64_t k = 0; k < shape[1]; k += kBlock, block += kPanel * block_bytes(type)) {
    Half scale{};
    std::memcpy(&scale, block + 2 * j, sizeof scale);
    const float d = to_float(scale);
    const auto at = [&](int64_t i) { return static_cast<int>(block[2 * kPanel + i / 4 * 4 * kPanel + 4 * j + i % 4]); };
    for (int64_t i = 0; i < kBlock; ++i) {
      const int code = type == q8_0 ? at(i) - kOffset : (i < kBlock / 2 ? at(i) & 15 : at(i - kBlock / 2) >> 4) - 8;
      out[k + i] = d * static_cast<float>(code);
    }
  }
}

}  // namespace tinyllm
