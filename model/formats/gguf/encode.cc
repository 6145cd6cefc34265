#include <tinyllm/model/formats/gguf/encode.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/quantized.h>

#include <cmath>
#include <cstring>

namespace tinyllm::gguf {
namespace {

template <class T>
std::vector<std::byte> halves(std::span<const float> numbers, float most, const char* name) {
  for (const float x : numbers) {
    if (!(std::abs(x) < most)) throw Error("a number is {}, too large for {}", x, name);
  }
  std::vector<std::byte> bytes(numbers.size() * sizeof(T));
  convert(numbers, std::span(reinterpret_cast<T*>(bytes.data()), numbers.size()));
  return bytes;
}

// `quantize` stores scales and quants separately. In a file, each block's scale comes before its quants.
std::vector<std::byte> interleaved(const QuantizedMatrix& matrix, size_t block_bytes) {
  constexpr size_t kScale = sizeof(uint16_t);
  const size_t quants = block_bytes - kScale;
  std::vector<std::byte> bytes(matrix.scales.size() * block_bytes);
  for (size_t b = 0; b < matrix.scales.size(); ++b) {
    std::memcpy(bytes.data() + b * block_bytes, &matrix.scales[b], kScale);
    std::memcpy(bytes.data() + b * block_bytes + kScale, matrix.quants.data() + b * quants, quants);
  }
  return bytes;
}

}  // namespace

bool can_encode(GgufType type) {
  return type == GgufType::F32 || type == GgufType::F16 || type == GgufType::BF16 || type == GgufType::Q8_0 ||
         type == GgufType::Q4_0;
}

std::vector<std::byte> encode(GgufType type, int64_t row, std::span<const float> numbers, ThreadPool& pool) {
  // Numbers from these limits on would round to infinity.
  constexpr float kMostF16 = 65520, kMostBf16 = 0x1.FFp127f;
  switch (type) {
    case GgufType::F16:
      return halves<Half>(numbers, kMostF16, "F16");
    case GgufType::BF16:
      return halves<BFloat16>(numbers, kMostBf16, "BF16");
    case GgufType::Q8_0:
    case GgufType::Q4_0: {
      if (numbers.empty()) return {};
      const Shape shape = {static_cast<int64_t>(numbers.size()) / row, row};
      return interleaved(quantize(type == GgufType::Q8_0 ? q8_0 : q4_0, shape, numbers.data(), pool),
                         gguf_type(type).block_bytes);
    }
    default: {
      for (const float x : numbers) {
        if (!std::isfinite(x)) throw Error("a number is {}", x);
      }
      const auto bytes = std::as_bytes(numbers);
      return {bytes.begin(), bytes.end()};
    }
  }
}

}  // namespace tinyllm::gguf
