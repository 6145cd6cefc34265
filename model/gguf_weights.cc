#include <tinyllm/model/gguf_weights.h>

#include <tinyllm/ops/kernels/kernels.h>

#include <algorithm>
#include <cstring>

namespace tinyllm {
namespace {

// The numbers in a row; 1 for a bias or norm.
int64_t row_size(const WeightSpec& spec) { return spec.shape.size(1, spec.shape.rank()); }

int64_t permuted_heads(const Family& family, const WeightPart& part) {
  return family.gguf_permutes_rows ? part.rotary_heads : 0;
}

// The row in the file that holds row `row` of a part.
int64_t file_row(int64_t row, const WeightPart& part, int64_t heads) {
  return heads == 0 ? row : gguf_row(row, part.rows, heads);
}

const Gguf::Tensor& tensor_of(const Gguf& file, const WeightSpec& spec, const WeightPart& part) {
  return file.at(part.gguf, spec.shape.with(0, part.rows));
}

// Calls use(tensor, row in the file, row of the result) for rows [first, first + n) of a weight.
template <class Use>
void for_each_row(const Gguf& file, const Family& family, const WeightSpec& spec, int64_t first, int64_t n, Use use) {
  int64_t begin = 0;
  for (const WeightPart& part : spec.parts) {
    const Gguf::Tensor& tensor = tensor_of(file, spec, part);
    const int64_t heads = permuted_heads(family, part), end = std::min(first + n, begin + part.rows);
    for (int64_t row = std::max(first, begin); row < end; ++row) {
      use(tensor, file_row(row - begin, part, heads), row - first);
    }
    begin += part.rows;
  }
}

// Throws Error unless the rows are heads of an even size, since RoPE rotates pairs of rows.
void check_heads(int64_t rows, int64_t heads) {
  if (heads < 1 || rows % (2 * heads) != 0)
    throw Error("has {} rows, expected {} heads with an even number of rows each", rows, heads);
}

// Separates the scales and quants in a row of blocks of `size` bytes. A block begins with its scale, if it has one.
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

Type GgufWeights::type_of(const WeightSpec& spec) const {
  std::optional<GgufType> common;
  for (const WeightPart& part : spec.parts) {
    const GgufType type = tensor_of(file_, spec, part).type->type;
    common = common.value_or(type) == type ? type : GgufType::F32;
  }
  if (spec.shape.rank() != 2 || spec.shape[1] % kernels::kQuantBlock != 0) return f32;
  return common == GgufType::Q8_0   ? q8_0
         : common == GgufType::Q4_0 ? q4_0
         : common == GgufType::BF16 ? packed_bf16
                                    : f32;
}

void GgufWeights::read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const {
  const int64_t size = row_size(spec);
  if (size > 1) {
    for_each_row(file_, family_, spec, first, n, [&](const Gguf::Tensor& tensor, int64_t from, int64_t to) {
      file_.read(tensor, from * size, out.subspan(static_cast<size_t>(to * size), static_cast<size_t>(size)));
    });
    return;
  }
  const Gguf::Tensor* read = nullptr;
  std::vector<float> values;
  for_each_row(file_, family_, spec, first, n, [&](const Gguf::Tensor& tensor, int64_t from, int64_t to) {
    if (std::exchange(read, &tensor) != &tensor) values = file_.values(tensor);
    out[static_cast<size_t>(to)] = values[static_cast<size_t>(from)];
  });
}

QuantizedMatrix GgufWeights::read_packed(const WeightSpec& spec, int64_t first, int64_t n) const {
  QuantizedMatrix matrix{.type = type_of(spec), .shape = spec.shape.with(0, n), .quants = {}, .scales = {}};
  const GgufTypeInfo& info = *tensor_of(file_, spec, spec.parts.front()).type;
  const auto blocks = static_cast<size_t>(spec.shape[1] / info.block), rows = static_cast<size_t>(n);
  const size_t scale = has_scales(matrix.type) ? sizeof(Half) : 0;
  const size_t row_bytes = blocks * info.block_bytes, row_quants = blocks * (info.block_bytes - scale);
  matrix.quants.resize(rows * row_quants);
  matrix.scales.resize(scale == 0 ? 0 : rows * blocks);
  for_each_row(file_, family_, spec, first, n, [&](const Gguf::Tensor& tensor, int64_t from, int64_t to) {
    const auto at = static_cast<size_t>(to);
    split_blocks(file_.bytes(tensor).data() + static_cast<size_t>(from) * row_bytes, blocks, info.block_bytes, scale,
                 matrix.quants.data() + at * row_quants, matrix.scales.data() + at * (scale / 2) * blocks);
  });
  return matrix;
}

void add_gguf_weights(const std::vector<WeightSpec>& specs, const Family& family, const GgufTypes& types,
                      const WeightRow& weight_row, GgufWriter& writer) {
  constexpr uint32_t kQuantizationVersion = 2;  // The version of ggml's block formats since 2023.
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
