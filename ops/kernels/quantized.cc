#include <tinyllm/ops/kernels/half.h>
#include <tinyllm/ops/kernels/kernels.h>

// Products of INT8 rows with quantised weights. A panel of 32 columns is a sequence of blocks. A block covers 32 steps
// of k: first the scales of all columns, then units of four bytes along k, for each unit all columns side by side. One
// instruction multiplies a unit of kWidth columns by the same unit of a row and adds the four products to 32-bit sums.
// This is exact. Only the sum over blocks, which is in float and in order, is rounded.
//
// The instructions multiply unsigned bytes by signed bytes. q4_0 is unsigned anyway. For q8_0 there are two ways. VNNI
// (vpdpbusd) takes weights with 128 added, and `start` cancels the 128. Without VNNI, pairs of products are added in 16
// bits (vpmaddubsw), where such weights would overflow. So the sign of each weight moves to the row: |w| times x or -x.
// This file is compiled a second time for VNNI.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr int64_t kUnits = kQuantBlock / 4;
constexpr int64_t kUnitBytes = 4 * kQuantPanel;
constexpr int64_t kScaleBytes = 2 * kQuantPanel;

inline int32_t sum(Vi x) {
  using V4 = int32_t __attribute__((vector_size(16)));
  V4 parts[kWidth / 4];
  __builtin_memcpy(parts, &x, sizeof x);
  for (int64_t i = 1; i < kWidth / 4; ++i) parts[0] += parts[i];
  return (parts[0][0] + parts[0][2]) + (parts[0][1] + parts[0][3]);
}

void quantize(int64_t blocks, int32_t offset, const float* x, QuantizedNumbers* to) {
  using Bytes = int8_t __attribute__((vector_size(kWidth)));
  constexpr int64_t kVectors = kQuantBlock / kWidth;
  for (int64_t b = 0; b < blocks; ++b, x += kQuantBlock, ++to) {
    Vf most = {};
    for (int64_t j = 0; j < kVectors; ++j) {
      const Vf v = load(x + j * kWidth);
      most = greater(greater(v, -v), most);
    }
    const float bound = greatest(most);
    const Vf factor = splat(bound > 0 ? 127.0f / bound : 0.0f);
    const Vf shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number.
    Vi total = {};
    for (int64_t j = 0; j < kVectors; ++j) {
      const Vi whole = reinterpret_cast<Vi>(load(x + j * kWidth) * factor + shift) - reinterpret_cast<Vi>(shift);
      total += whole;
      const Bytes bytes = __builtin_convertvector(whole, Bytes);
      __builtin_memcpy(to->q + j * kWidth, &bytes, sizeof bytes);
    }
    to->scale = bound / 127.0f;
    to->start = -offset * sum(total);
  }
}

inline Vi load_bytes(const std::byte* p) {
  Vi x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
inline Vf load_scales(const std::byte* p) { return widen(reinterpret_cast<const Half*>(p)); }

/// Of a unit, byte i of each column as the number that it stands for; q4_0 has two in a byte, `shift` bits apart.
template <int32_t kMask, int32_t kZero>
inline void unpack_unit(const std::byte* unit, int32_t shift, Vf scale, float* to) {
  const Vi bytes = load_bytes(unit) >> shift;
#pragma GCC unroll 4
  for (int64_t i = 0; i < 4; ++i) {
    store(to + i * kQuantPanel,
          __builtin_convertvector((bytes >> static_cast<int32_t>(8 * i) & kMask) - kZero, Vf) * scale);
  }
}

void unpack_q8(int64_t blocks, const std::byte* panel, float* to) {
  for (; blocks > 0; --blocks, panel += kScaleBytes + kUnits * kUnitBytes, to += kQuantBlock * kQuantPanel) {
    for (int64_t j = 0; j < kQuantPanel; j += kWidth) {
      const Vf scale = load_scales(panel + 2 * j);
      const std::byte* units = panel + kScaleBytes + 4 * j;
      for (int64_t unit = 0; unit < kUnits; ++unit) {
        unpack_unit<255, 128>(units + unit * kUnitBytes, 0, scale, to + 4 * unit * kQuantPanel + j);
      }
    }
  }
}

void unpack_q4(int64_t blocks, const std::byte* panel, float* to) {
  for (; blocks > 0; --blocks, panel += kScaleBytes + kUnits / 2 * kUnitBytes, to += kQuantBlock * kQuantPanel) {
    for (int64_t j = 0; j < kQuantPanel; j += kWidth) {
      const Vf scale = load_scales(panel + 2 * j);
      const std::byte* units = panel + kScaleBytes + 4 * j;
      for (int64_t unit = 0; unit < kUnits / 2; ++unit, units += kUnitBytes) {
        unpack_unit<15, 8>(units, 0, scale, to + 4 * unit * kQuantPanel + j);
        unpack_unit<15, 8>(units, 4, scale, to + (kQuantBlock / 2 + 4 * unit) * kQuantPanel + j);
      }
    }
  }
}

#if defined(__AVX2__)

constexpr int64_t kVectors = 2;
constexpr int64_t kColumns = kVectors * kWidth;
// Weights are prefetched this many bytes before they are used.
constexpr int64_t kAhead = 4096;
#if defined(__AVX512F__)
constexpr int64_t kRows = 6;  // 12 sums of a block and 12 total sums, of 32 registers.
#else
constexpr int64_t kRows = 2;
#endif

inline Vi splat(int32_t x) { return x - Vi{}; }
inline Vi splat_unit(const int8_t* p) {
  int32_t unit;
  __builtin_memcpy(&unit, p, sizeof unit);
  return splat(unit);
}
/// Adds the four products of unsigned and signed bytes to each lane of `sum`. Sums of two products must fit 16 bits.
inline Vi dot(Vi sum, Vi u, Vi x) {
#if defined(__AVX512VNNI__)
  return reinterpret_cast<Vi>(
      _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(u), reinterpret_cast<__m512i>(x)));
#elif defined(__AVX512F__)
  const __m512i pairs = _mm512_maddubs_epi16(reinterpret_cast<__m512i>(u), reinterpret_cast<__m512i>(x));
  return sum + reinterpret_cast<Vi>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#else
  const __m256i pairs = _mm256_maddubs_epi16(reinterpret_cast<__m256i>(u), reinterpret_cast<__m256i>(x));
  return sum + reinterpret_cast<Vi>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

/// A unit of weights, prepared once for all rows.
#if defined(__AVX512VNNI__)
struct UnitQ8 {
  Vi u;
  explicit UnitQ8(Vi bytes) : u(bytes) {}
  Vi add_to(Vi sum, Vi x) const { return dot(sum, u, x); }
};
#elif defined(__AVX512F__)
struct UnitQ8 {
  Vi size;
  __mmask64 negative;
  explicit UnitQ8(Vi bytes) {
    const __m512i w = _mm512_xor_si512(reinterpret_cast<__m512i>(bytes), _mm512_set1_epi8(-128));
    size = reinterpret_cast<Vi>(_mm512_abs_epi8(w));
    negative = _mm512_movepi8_mask(w);
  }
  Vi add_to(Vi sum, Vi x) const {
    const auto v = reinterpret_cast<__m512i>(x);
    return dot(sum, size, reinterpret_cast<Vi>(_mm512_mask_sub_epi8(v, negative, _mm512_setzero_si512(), v)));
  }
};
#else
struct UnitQ8 {
  __m256i w;
  Vi size;
  explicit UnitQ8(Vi bytes)
      : w(_mm256_xor_si256(reinterpret_cast<__m256i>(bytes), _mm256_set1_epi8(-128))),
        size(reinterpret_cast<Vi>(_mm256_abs_epi8(w))) {}
  Vi add_to(Vi sum, Vi x) const {
    return dot(sum, size, reinterpret_cast<Vi>(_mm256_sign_epi8(reinterpret_cast<__m256i>(x), w)));
  }
};
#endif
struct UnitQ4 {
  Vi u;
  explicit UnitQ4(Vi nibbles) : u(nibbles & 0x0F0F0F0F) {}
  Vi add_to(Vi sum, Vi x) const { return dot(sum, u, x); }
};

/// Calls f(unit, weights) for each of the kUnits units of a block, with the weights of kColumns columns.
struct Q8 {
  static constexpr int64_t kBytes = kScaleBytes + kUnits * kUnitBytes;
  template <class F>
  static void for_each_unit(const std::byte* quants, F f) {
#pragma GCC unroll 8
    for (int64_t unit = 0; unit < kUnits; ++unit) {
      const std::byte* at = quants + unit * kUnitBytes;
      const UnitQ8 weights[kVectors] = {UnitQ8(load_bytes(at)), UnitQ8(load_bytes(at + sizeof(Vi)))};
      f(unit, weights);
    }
  }
};
struct Q4 {
  static constexpr int64_t kBytes = kScaleBytes + kUnits / 2 * kUnitBytes;
  template <class F>
  static void for_each_unit(const std::byte* quants, F f) {
#pragma GCC unroll 4
    for (int64_t unit = 0; unit < kUnits / 2; ++unit) {
      const Vi a = load_bytes(quants + unit * kUnitBytes);
      const Vi b = load_bytes(quants + unit * kUnitBytes + sizeof(Vi));
      const UnitQ4 low[kVectors] = {UnitQ4(a), UnitQ4(b)};
      f(unit, low);
      const UnitQ4 high[kVectors] = {UnitQ4(a >> 4), UnitQ4(b >> 4)};
      f(unit + kUnits / 2, high);
    }
  }
};

/// Multiplies kCount rows by kColumns columns, from `row` and `column` on.
template <class Q, int64_t kCount>
void multiply_tile(const QuantizedBlock& s, int64_t row, int64_t column) {
  const QuantizedNumbers* x = s.x + row * s.x_stride;
  const std::byte* panel = s.panel;
  Vf sums[kCount][kVectors] = {};
  for (int64_t b = 0; b < s.blocks; ++b, panel += Q::kBytes, ++x) {
    if (row == 0) {
#pragma GCC unroll 17
      for (int64_t line = 0; line < Q::kBytes; line += 64) __builtin_prefetch(panel + kAhead + line);
    }
    Vi acc[kCount][kVectors];
#pragma GCC unroll 6
    for (int64_t i = 0; i < kCount; ++i) acc[i][0] = acc[i][1] = splat(x[i * s.x_stride].start);
    Q::for_each_unit(panel + kScaleBytes + 4 * column, [&](int64_t unit, const auto& weights) {
#pragma GCC unroll 6
      for (int64_t i = 0; i < kCount; ++i) {
        const Vi units = splat_unit(x[i * s.x_stride].q + 4 * unit);
        acc[i][0] = weights[0].add_to(acc[i][0], units);
        acc[i][1] = weights[1].add_to(acc[i][1], units);
      }
    });
    const Vf d[kVectors] = {load_scales(panel + 2 * column), load_scales(panel + 2 * (column + kWidth))};
#pragma GCC unroll 6
    for (int64_t i = 0; i < kCount; ++i) {
#pragma GCC unroll 2
      for (int64_t j = 0; j < kVectors; ++j) {
        sums[i][j] = fma(__builtin_convertvector(acc[i][j], Vf), d[j] * x[i * s.x_stride].scale, sums[i][j]);
      }
    }
  }
#pragma GCC unroll 2
  for (int64_t j = 0; j < kVectors; ++j) {
    const int64_t first = column + j * kWidth;
    const int64_t n = least(kWidth, s.columns - first);
    if (n <= 0) return;
    const Vf bias = s.bias == nullptr ? Vf{} : load_any(s.bias + first, n);
#pragma GCC unroll 6
    for (int64_t i = 0; i < kCount; ++i) store_any(s.y + (row + i) * s.y_stride + first, sums[i][j] + bias, n);
  }
}

template <class Q, int64_t kCount = kRows>
inline void multiply_rows(const QuantizedBlock& s, int64_t rows, int64_t row, int64_t column) {
  if constexpr (kCount > 1) {
    if (rows != kCount) return multiply_rows<Q, kCount - 1>(s, rows, row, column);
  }
  multiply_tile<Q, kCount>(s, row, column);
}

template <class Q>
void multiply(const QuantizedBlock& s) {
  // All tiles get about the same number of rows, so that the last one is not a sliver.
  const int64_t strips = (s.rows + kRows - 1) / kRows;
  const int64_t rows = (s.rows + strips - 1) / strips;
  for (int64_t column = 0; column < s.columns; column += kColumns) {
    for (int64_t row = 0; row < s.rows; row += rows) multiply_rows<Q>(s, least(rows, s.rows - row), row, column);
  }
}

#else

/// The unsigned weight of a byte of a unit.
struct Q8 {
  static constexpr int64_t kBytes = kScaleBytes + kUnits * kUnitBytes;
  static int32_t at(const std::byte* quants, int64_t unit, int64_t byte) {
    return static_cast<int32_t>(quants[unit * kUnitBytes + byte]);
  }
};
struct Q4 {
  static constexpr int64_t kBytes = kScaleBytes + kUnits / 2 * kUnitBytes;
  static int32_t at(const std::byte* quants, int64_t unit, int64_t byte) {
    const auto both = static_cast<int32_t>(quants[unit % (kUnits / 2) * kUnitBytes + byte]);
    return unit < kUnits / 2 ? both & 15 : both >> 4;
  }
};

template <class Q>
void multiply(const QuantizedBlock& s) {
  for (int64_t row = 0; row < s.rows; ++row) {
    float sums[kQuantPanel] = {};
    for (int64_t b = 0; b < s.blocks; ++b) {
      const std::byte* block = s.panel + b * Q::kBytes;
      const QuantizedNumbers& x = s.x[row * s.x_stride + b];
      float scales[kQuantPanel];
      for (int64_t j = 0; j < kQuantPanel; j += kWidth) {
        store(scales + j, widen(reinterpret_cast<const Half*>(block) + j));
      }
      for (int64_t j = 0; j < s.columns; ++j) {
        int32_t acc = x.start;
        for (int64_t k = 0; k < kQuantBlock; ++k) acc += Q::at(block + kScaleBytes, k / 4, 4 * j + k % 4) * x.q[k];
        sums[j] += static_cast<float>(acc) * (scales[j] * x.scale);
      }
    }
    for (int64_t j = 0; j < s.columns; ++j) s.y[row * s.y_stride + j] = sums[j] + (s.bias == nullptr ? 0 : s.bias[j]);
  }
}

#endif

}  // namespace

void fill_quantized(Kernels& table) {
#if defined(__AVX2__) && !defined(__AVX512VNNI__)
  constexpr int32_t kOffset = 0;
#else
  constexpr int32_t kOffset = 128;
#endif
  table.q8_0 = {kOffset, multiply<Q8>, unpack_q8};
  table.q4_0 = {8, multiply<Q4>, unpack_q4};
  table.quantize = quantize;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
