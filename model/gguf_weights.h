#pragma once

#include <tinyllm/model/formats/family.h>
#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/ops/quantized.h>

#include <functional>
#include <span>
#include <vector>

namespace tinyllm {

/// RoPE rotates pairs of rows of a head of Q or K. Here, as in Hugging Face, row j of a head of d rows pairs with row
/// j + d/2; files of architectures with `gguf_permutes_rows` have the two rows of a pair one after the other.
/// `gguf_row` is where the file has `row` of a matrix, or a bias, of `rows` rows in `heads` heads; `hugging_face_row`
/// is its inverse.
int64_t gguf_row(int64_t row, int64_t rows, int64_t heads);
int64_t hugging_face_row(int64_t row, int64_t rows, int64_t heads);

/// Reads a weight from its parts in a file, of whatever type, with rows in our order. Throws Error when a part is
/// missing or has another shape.
void read_gguf_weight(const Gguf& file, const Family& family, const WeightSpec& spec, std::span<float> out);

/// The type in which a matrix can be used as the file has it: Q8_0, Q4_0 or BF16 when all its parts have that type,
/// else F32. Throws Error when a part is missing.
GgufType gguf_weight_type(const Gguf& file, const WeightSpec& spec);

/// Reads a matrix for which `gguf_weight_type` gives Q8_0, Q4_0 or BF16, without a change of its numbers.
QuantizedMatrix read_gguf_quantized(const Gguf& file, const Family& family, const WeightSpec& spec);

/// Types of tensors that are written. Norms and biases are F32 whatever these are.
struct GgufTypes {
  GgufType matrices = GgufType::F32;
  GgufType tables = GgufType::F32;  ///< Embeddings and head.
};

/// Gives one row of a weight, in our order, when the file is written.
using WeightRow = std::function<void(const WeightSpec& spec, int64_t row, std::span<float> out)>;

/// Adds the parts of all weights to a file, and `general.file_type`. Throws Error when the types are not written.
void add_gguf_weights(const std::vector<WeightSpec>& specs, const Family& family, const GgufTypes& types,
                      const WeightRow& weight_row, GgufWriter& writer);

}  // namespace tinyllm
