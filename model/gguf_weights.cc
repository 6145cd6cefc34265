#include <tinyllm/model/gguf_weights.h>

#include <tinyllm/ops/kernels/kernels.h>

#include <algorithm>
#include <cstring>

namespace tinyllm {
namespace {

// Numbers of a row: 1 of a bias or norm.
int64_t row_size(const WeightSpec& spec) { return spec.shape.size(1, spec.shape.rank()); }

int64_t permuted_heads(const Family& family, const WeightPart& part) {
  return family.gguf_permutes_rows ? part.rotary_heads : 0;
}

// The row of the file that has row `row` of a part.
int64_t file_row(int64_t row, const WeightPart& part, int64_t heads) {
  return heads == 0 ? row : gguf_row(row, part.rows, heads);
}

const Gguf::Tensor& tensor_of(const Gguf& file, const WeightSpec& spec, const WeightPart& part) {
  return file.at(part.gguf, spec.shape.with(0, part.rows));
}

void read_part(const Gguf& file, const Gguf::Tensor& tensor, const WeightPart& part, int64_t heads,
               std::span<float> out) {
  if (heads == 0) return file.read(tensor, 0, out);
  if (tensor.shape.rank() == 1) {
    const std::vector<float> values = file.values(tensor);
    for (int64_t row = 0; row < part.rows; ++row) {
      out[static_cast<size_t>(row)] = values[static_cast<size_t>(file_row(row, part, heads))];
    }
    return;
  }
  const int64_t size = tensor.shape.row();
  for (int64_t row = 0; row < part.rows; ++row) {
    file.read(tensor, file_row(row, part, heads) * size,
              out.subspan(static_cast<size_t>(row * size), static_cast<size_t>(size)));
  }
}

// What a row of half a head's size is a pair of, must be whole.
void check_heads(int64_t rows, int64_t heads) {
  if (heads < 1 || rows % (2 * heads) != 0) throw Error("{} rows are not {} heads of pairs", rows, heads);
}

// Takes a row of blocks of `size` bytes apart. A block begins with its scale if it has one.
void split_blocks(const std::byte* row, size_t blocks, size_t size, size_t scale, std::byte* quants, void* scales) {
  for (size_t b = 0; b < blocks; ++b, row += size) {
    if (scale > 0) std::memcpy(static_cast<std::byte*>(scales) + b * scale, row, scale);
    std::memcpy(quants + b * (size - scale), row + scale, size - scale);
  }
}

}  // namespace

int64_t gguf_row(int64_t row, int64_t rows, int64_t heads) {
  check_heads(rows, heads);
  const int64_t size = rows / heads, in_head = row % size;
  return row - in_head + in_head % (size / 2) * 2 + in_head / (size / 2);
}

int64_t hugging_face_row(int64_t row, int64_t rows, int64_t heads) {
  check_heads(rows, heads);
  const int64_t size = rows / heads, in_head = row % size;
  return row - in_head + in_head % 2 * (size / 2) + in_head / 2;
}

void read_gguf_weight(const Gguf& file, const Family& family, const WeightSpec& spec, std::span<float> out) {
  if (static_cast<int64_t>(out.size()) != spec.shape.size()) {
    throw Error("{}: {} numbers for {}", spec.name, out.size(), spec.shape);
  }
  const int64_t size = row_size(spec);
  for (const WeightPart& part : spec.parts) {
    const auto count = static_cast<size_t>(part.rows * size);
    read_part(file, tensor_of(file, spec, part), part, permuted_heads(family, part), out.first(count));
    out = out.subspan(count);
  }
}

GgufType gguf_weight_type(const Gguf& file, const WeightSpec& spec) {
  const GgufType type = file.at(spec.parts.at(0).gguf).type->type;
  const bool is_ours = type == GgufType::Q8_0 || type == GgufType::Q4_0 || type == GgufType::BF16;
  const bool is_same = std::all_of(spec.parts.begin(), spec.parts.end(),
                                   [&](const WeightPart& part) { return file.at(part.gguf).type->type == type; });
  const bool is_matrix = spec.shape.rank() == 2 && spec.shape[1] % kernels::kQuantBlock == 0;
  return is_ours && is_same && is_matrix ? type : GgufType::F32;
}

QuantizedMatrix read_gguf_quantized(const Gguf& file, const Family& family, const WeightSpec& spec) {
  const GgufType type = gguf_weight_type(file, spec);
  if (type == GgufType::F32) throw Error("{}: {} is not Q8_0, Q4_0 or BF16", file.path().string(), spec.name);
  const GgufTypeInfo& info = gguf_type(type);
  const auto blocks = static_cast<size_t>(spec.shape[1] / info.block), rows = static_cast<size_t>(spec.shape[0]);
  const size_t scale = type == GgufType::BF16 ? 0 : sizeof(uint16_t);
  const size_t row_bytes = blocks * info.block_bytes, row_quants = blocks * (info.block_bytes - scale);
  QuantizedMatrix matrix{.type = type == GgufType::Q8_0   ? q8_0
                                 : type == GgufType::Q4_0 ? q4_0
                                                          : packed_bf16,
                         .shape = spec.shape,
                         .quants = {},
                         .scales = {}};
  matrix.quants.resize(rows * row_quants);
  matrix.scales.resize(scale == 0 ? 0 : rows * blocks);
  size_t at = 0;
  for (const WeightPart& part : spec.parts) {
    const std::span<const std::byte> bytes = file.bytes(tensor_of(file, spec, part));
    const int64_t heads = permuted_heads(family, part);
    for (int64_t row = 0; row < part.rows; ++row, ++at) {
      split_blocks(bytes.data() + static_cast<size_t>(file_row(row, part, heads)) * row_bytes, blocks, info.block_bytes,
                   scale, matrix.quants.data() + at * row_quants, matrix.scales.data() + at * (scale / 2) * blocks);
    }
  }
  return matrix;
}

void add_gguf_weights(const std::vector<WeightSpec>& specs, const Family& family, const GgufTypes& types,
                      const WeightRow& weight_row, GgufWriter& writer) {
  constexpr uint32_t kQuantizationVersion = 2;  // Of ggml's block formats since 2023.
  writer.add("general.file_type", gguf_file_type(types.matrices));
  if (gguf_type(types.matrices).block > 1) writer.add("general.quantization_version", kQuantizationVersion);
  for (const WeightSpec& spec : specs) {
    const bool is_table = spec.role == WeightRole::embedding || spec.role == WeightRole::head;
    int64_t begin = 0;
    for (const WeightPart& part : spec.parts) {
      const Shape shape = spec.shape.with(0, part.rows);
      const int64_t heads = permuted_heads(family, part);
      const auto rows = [=](int64_t first, std::span<float> numbers) {
        const int64_t size = row_size(spec);
        for (size_t at = 0; at < numbers.size(); at += static_cast<size_t>(size), ++first) {
          const int64_t row = heads == 0 ? first : hugging_face_row(first, part.rows, heads);
          weight_row(spec, begin + row, numbers.subspan(at, static_cast<size_t>(size)));
        }
      };
      writer.add_tensor(part.gguf, gguf_type_for(is_table ? types.tables : types.matrices, shape), shape, rows);
      begin += part.rows;
    }
  }
}

}  // namespace tinyllm
