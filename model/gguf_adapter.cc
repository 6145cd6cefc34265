#include <tinyllm/model/gguf_adapter.h>

#include <tinyllm/model/gguf_weights.h>
#include <tinyllm/model/hugging_face_config.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

constexpr const char* kA = ".lora_a";
constexpr const char* kB = ".lora_b";

// A matrix that can have an adapter.
struct Target {
  const WeightPart* part;
  int64_t in;
};

std::vector<Target> targets(const std::vector<WeightSpec>& specs) {
  std::vector<Target> targets;
  for (const WeightSpec& spec : specs) {
    const bool is_matrix = spec.role == WeightRole::matrix || spec.role == WeightRole::head;
    for (const WeightPart& part : spec.parts) {
      if (is_matrix) targets.push_back({&part, spec.shape[1]});
    }
  }
  return targets;
}

int64_t heads_of(const Family& family, const Target& target) {
  return family.gguf_permutes_rows ? target.part->rotary_heads : 0;
}

float read_alpha(const Gguf& file, const Family& family) {
  const GgufMetadata& metadata = file.metadata();
  const std::pair<const char*, std::string_view> expected[] = {
      {"general.type", "adapter"}, {"adapter.type", "lora"}, {"general.architecture", family.gguf}};
  for (const auto& [key, value] : expected) {
    const auto found = metadata.find<std::string_view>(key).value_or("missing");
    if (found != value) throw Error("{}: {} is {}, expected {}", file.path().string(), key, found, value);
  }
  return static_cast<float>(metadata.get<double>("adapter.lora.alpha"));
}

std::vector<float> finite_values(const Gguf& file, const Gguf::Tensor& tensor) {
  std::vector<float> values = file.values(tensor);
  if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) {
    throw Error("{}: {} has a number that is not finite", file.path().string(), tensor.name);
  }
  return values;
}

AdapterPart read_part(const Gguf& file, const Target& target, int64_t heads, float alpha) {
  const WeightPart& part = *target.part;
  const Gguf::Tensor& a = file.at(part.gguf + kA);
  const int64_t rank = a.shape.rank() == 2 ? a.shape[0] : 0;
  if (rank < 1 || a.shape[1] != target.in) {
    throw Error("{}: {} is {}, expected [rank, {}]", file.path().string(), a.name, a.shape, target.in);
  }
  const std::vector<float> rows = finite_values(file, file.at(part.gguf + kB, {part.rows, rank}));
  // Without an alpha the scale is 1.
  AdapterPart adapter = {part.hugging_face, rank, alpha == 0 ? 1 : alpha / static_cast<float>(rank),
                         finite_values(file, a), std::vector<float>(rows.size())};
  for (int64_t row = 0; row < part.rows; ++row) {
    const int64_t from = heads == 0 ? row : gguf_row(row, part.rows, heads);
    std::copy_n(rows.begin() + from * rank, rank, adapter.b.begin() + row * rank);
  }
  return adapter;
}

const Family& family_of_model(const Model& model) {
  return family_of(text(parse_json(hugging_face_config(model.config).dump(), kConfigFile), "model_type"));
}

// The adapter must live until the file is written.
void add_part(const AdapterPart& adapter, const Target& target, int64_t heads, float alpha, GgufWriter& writer) {
  const int64_t rank = adapter.rank, in = target.in, out = target.part->rows;
  if (rank < 1 || static_cast<int64_t>(adapter.a.size()) != rank * in ||
      static_cast<int64_t>(adapter.b.size()) != out * rank) {
    throw Error("{}: A has {} numbers and B {}, expected {} x {} and {} x {}", adapter.weight, adapter.a.size(),
                adapter.b.size(), rank, in, out, rank);
  }
  const float factor = adapter.scale * static_cast<float>(rank) / alpha;
  const auto a_rows = [&adapter, in](int64_t first, std::span<float> rows) {
    std::copy_n(adapter.a.begin() + first * in, rows.size(), rows.begin());
  };
  const auto b_rows = [&adapter, rank, out, heads, factor](int64_t first, std::span<float> rows) {
    for (size_t at = 0; at < rows.size(); at += static_cast<size_t>(rank), ++first) {
      const int64_t row = heads == 0 ? first : hugging_face_row(first, out, heads);
      for (int64_t k = 0; k < rank; ++k) {
        rows[at + static_cast<size_t>(k)] = factor * adapter.b[static_cast<size_t>(row * rank + k)];
      }
    }
  };
  writer.add_tensor(target.part->gguf + kA, GgufType::F32, {rank, in}, a_rows);
  writer.add_tensor(target.part->gguf + kB, GgufType::F32, {out, rank}, b_rows);
}

}  // namespace

std::vector<AdapterPart> read_gguf_adapter(const Gguf& file, const Family& family,
                                           const std::vector<WeightSpec>& specs) {
  const float alpha = read_alpha(file, family);
  std::vector<AdapterPart> parts;
  for (const Target& target : targets(specs)) {
    if (file.find(target.part->gguf + kA) == nullptr) continue;
    parts.push_back(read_part(file, target, heads_of(family, target), alpha));
  }
  if (2 * parts.size() == file.tensors().size()) return parts;
  const std::vector<Target> known = targets(specs);
  for (const Gguf::Tensor& tensor : file.tensors()) {
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const Target& target) {
      return tensor.name == target.part->gguf + kA || tensor.name == target.part->gguf + kB;
    });
    if (!is_known) throw Error("{}: {} belongs to no matrix of the model", file.path().string(), tensor.name);
  }
  throw Error("{}: a matrix has only one of {} and {}", file.path().string(), kA, kB);
}

void save_gguf_adapter(const std::vector<AdapterPart>& parts, const Family& family,
                       const std::vector<WeightSpec>& specs, const std::filesystem::path& path, ThreadPool& pool) {
  if (parts.empty()) throw Error("{}: no adapters to save, expected at least one", path.string());
  const std::vector<Target> known = targets(specs);
  const float alpha = parts[0].scale * static_cast<float>(parts[0].rank);
  if (!(std::abs(alpha) > 0)) throw Error("{}: {} has scale {}", path.string(), parts[0].weight, parts[0].scale);
  GgufWriter writer;
  writer.add("general.type", "adapter");
  writer.add("general.architecture", family.gguf);
  writer.add("adapter.type", "lora");
  writer.add("adapter.lora.alpha", alpha);
  for (const AdapterPart& adapter : parts) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Target& target) { return target.part->hugging_face == adapter.weight; });
    if (found == known.end()) throw Error("{}: the model has no matrix {}", path.string(), adapter.weight);
    add_part(adapter, *found, heads_of(family, *found), alpha, writer);
  }
  writer.save(path, pool);
}

void load_gguf_adapter(Model& model, const std::filesystem::path& path) {
  add_adapters(model, read_gguf_adapter(Gguf(path), family_of_model(model), weight_specs(model.config)));
}

void save_gguf_adapter(const Model& model, const std::filesystem::path& path, ThreadPool& pool) {
  if (const std::vector<std::string>& replaced = model.config.lora.replaced; !replaced.empty()) {
    throw Error("{}: GGUF adapters cannot hold {}, which modules_to_save trained as a whole: merge them into the model",
                path.string(), fmt::join(replaced, ", "));
  }
  save_gguf_adapter(adapter_parts(model), family_of_model(model), weight_specs(model.config), path, pool);
}

}  // namespace tinyllm
