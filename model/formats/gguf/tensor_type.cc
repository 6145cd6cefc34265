#include <tinyllm/model/formats/gguf/tensor_type.h>

#include <tinyllm/model/formats/gguf/blocks.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/tensor/base/error.h>

#include <cctype>
#include <cstring>

namespace tinyllm {
namespace {

template <void (*dequantize)(const uint8_t*, float*), int64_t numbers, size_t bytes>
void each_block(const std::byte* from, int64_t blocks, float* out) {
  for (int64_t b = 0; b < blocks; ++b, from += bytes, out += numbers) {
    dequantize(reinterpret_cast<const uint8_t*>(from), out);
  }
}

template <class T>
void widen(const std::byte* from, int64_t count, float* out) {
  convert(std::span(reinterpret_cast<const T*>(from), static_cast<size_t>(count)),
          std::span(out, static_cast<size_t>(count)));
}

void copy(const std::byte* from, int64_t count, float* out) {
  if (count > 0) std::memcpy(out, from, static_cast<size_t>(count) * sizeof(float));
}

template <void (*dequantize)(const uint8_t*, float*), int64_t numbers, size_t bytes>
constexpr GgufTypeInfo blocks_of(GgufType type, const char* name) {
  return {type, name, numbers, bytes, each_block<dequantize, numbers, bytes>};
}

constexpr GgufTypeInfo kTypes[] = {
    {GgufType::F32, "F32", 1, 4, copy},
    {GgufType::F16, "F16", 1, 2, widen<Half>},
    {GgufType::BF16, "BF16", 1, 2, widen<BFloat16>},
    blocks_of<gguf::dequantize_q4_0, 32, 18>(GgufType::Q4_0, "Q4_0"),
    blocks_of<gguf::dequantize_q4_1, 32, 20>(GgufType::Q4_1, "Q4_1"),
    blocks_of<gguf::dequantize_q5_0, 32, 22>(GgufType::Q5_0, "Q5_0"),
    blocks_of<gguf::dequantize_q5_1, 32, 24>(GgufType::Q5_1, "Q5_1"),
    blocks_of<gguf::dequantize_q8_0, 32, 34>(GgufType::Q8_0, "Q8_0"),
    blocks_of<gguf::dequantize_q2_k, 256, 84>(GgufType::Q2_K, "Q2_K"),
    blocks_of<gguf::dequantize_q3_k, 256, 110>(GgufType::Q3_K, "Q3_K"),
    blocks_of<gguf::dequantize_q4_k, 256, 144>(GgufType::Q4_K, "Q4_K"),
    blocks_of<gguf::dequantize_q5_k, 256, 176>(GgufType::Q5_K, "Q5_K"),
    blocks_of<gguf::dequantize_q6_k, 256, 210>(GgufType::Q6_K, "Q6_K"),
    blocks_of<gguf::dequantize_iq4_nl, 32, 18>(GgufType::IQ4_NL, "IQ4_NL"),
    blocks_of<gguf::dequantize_iq4_xs, 256, 136>(GgufType::IQ4_XS, "IQ4_XS"),
};

// Types that other programs write but this one cannot read. Their names are used in errors.
constexpr struct {
  uint32_t number;
  const char* name;
} kOthers[] = {{9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
               {21, "IQ3_S"}, {22, "IQ2_S"}, {24, "I8"},      {25, "I16"},    {26, "I32"},     {27, "I64"},
               {28, "F64"},   {29, "IQ1_M"}, {34, "TQ1_0"},   {35, "TQ2_0"},  {39, "MXFP4"}};

std::string names() {
  std::string list;
  for (const GgufTypeInfo& info : kTypes) list += (list.empty() ? "" : ", ") + std::string(info.name);
  return list;
}

}  // namespace

const GgufTypeInfo& gguf_type(uint32_t number) {
  for (const GgufTypeInfo& info : kTypes) {
    if (static_cast<uint32_t>(info.type) == number) return info;
  }
  for (const auto& other : kOthers) {
    if (other.number == number) throw Error("type {} cannot be read, expected one of {}", other.name, names());
  }
  throw Error("type {} is unknown, expected one of {}", number, names());
}

const GgufTypeInfo& gguf_type(GgufType type) { return gguf_type(static_cast<uint32_t>(type)); }

const GgufTypeInfo& gguf_type(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const GgufTypeInfo& info : kTypes) {
    if (info.name == upper) return info;
  }
  throw Error("type {} is unknown, expected one of {}", name, names());
}

uint64_t bytes_of(const GgufTypeInfo& type, const Shape& shape) {
  if (shape.row() % type.block != 0) {
    throw Error("{} {}: a row has {} numbers, expected a multiple of {}", type.name, shape, shape.row(), type.block);
  }
  return static_cast<uint64_t>(shape.size() / type.block) * type.block_bytes;
}

}  // namespace tinyllm
