#pragma once

#include <tinyllm/model/formats/family.h>
#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/model/weight_reader.h>

#include <functional>
#include <span>
#include <vector>

namespace tinyllm {

/// RoPE rotates pairs of rows in each head of Q and K. Here, as in Hugging Face, row j of a head of d rows pairs with
/// row j + d/2. GGUF files of architectures with `gguf_permutes_rows` store the two rows of a pair next to each other.
/// `gguf_row` gives the position in the file of `row`, for a matrix or a bias with `rows` rows in `heads` heads.
/// `hugging_face_row` is its inverse.
int64_t gguf_row(int64_t row, int64_t rows, int64_t heads);
int64_t hugging_face_row(int64_t row, int64_t rows, int64_t heads);

/// Reads the tensors of a GGUF file that `WeightSpec::parts` name, with rows in our order. Q8_0, Q4_0 and BF16 can be
/// kept unchanged; all other types become floats.
class GgufWeights final : public WeightReader {
 public:
  GgufWeights(const Gguf& file, const Family& family) : file_(file), family_(family) {}

  std::string name(const WeightSpec& spec, int64_t row) const override {
    return file_.path().string() + ": " + part_with(spec, row).gguf;
  }
  Type type_of(const WeightSpec& spec) const override;
  void read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const override;
  QuantizedMatrix read_packed(const WeightSpec& spec, int64_t first, int64_t n) const override;

 private:
  const Gguf& file_;
  const Family& family_;
};

/// The types of the tensors to write. Norms and biases are always F32.
struct GgufTypes {
  GgufType matrices = GgufType::F32;
  GgufType tables = GgufType::F32;  ///< Embeddings and head.
};

/// Gives one row of a weight, in our order, while the file is written.
using WeightRow = std::function<void(const WeightSpec& spec, int64_t row, std::span<float> out)>;

/// Adds the parts of all weights to a file, and `general.file_type`. Throws Error when files of these types cannot be
/// written.
void add_gguf_weights(const std::vector<WeightSpec>& specs, const Family& family, const GgufTypes& types,
                      const WeightRow& weight_row, GgufWriter& writer);

}  // namespace tinyllm
