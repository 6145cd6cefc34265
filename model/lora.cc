#include <tinyllm/model/lora.h>

#include <tinyllm/model/weights.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tinyllm {
namespace {

// The config with these adapters. Throws Error when it has adapters already, or these do not fit.
ModelConfig with(const ModelConfig& config, const Lora& lora) {
  if (config.lora.rank > 0) throw Error("lora: the model has adapters of rank {} already", config.lora.rank);
  if (lora.rank == 0) throw Error("lora: rank 0, expected 1 or more");
  ModelConfig adapted = config;
  adapted.lora = lora;
  check(adapted);
  if (adapter_specs(adapted).empty()) {
    throw Error("lora: the model has none of {}", fmt::join(lora.targets, ", "));
  }
  return adapted;
}

// W [out, in] += scale B [out, r] A [r, in].
void add_product(std::span<float> w, std::span<const float> a, std::span<const float> b, const Lora::Size& size) {
  const auto r = static_cast<size_t>(size.rank);
  const size_t in = a.size() / r;
  for (size_t i = 0; i < w.size() / in; ++i) {
    for (size_t k = 0; k < r; ++k) {
      const float factor = size.scale * b[i * r + k];
      for (size_t j = 0; j < in; ++j) w[i * in + j] += factor * a[k * in + j];
    }
  }
}

// Calls f(matrix, part, its first row, size) for each part of a matrix that has an adapter.
template <class F>
void for_each_adapter(const ModelConfig& config, F f) {
  for (const WeightSpec& matrix : weight_specs(config)) {
    if (matrix.lora_target.empty()) continue;
    int64_t row = 0;
    for (const WeightPart& part : matrix.parts) {
      const Lora::Size size = config.lora.size_of(matrix.lora_target, part.module());
      if (size.rank > 0) f(matrix, part, row, size);
      row += part.rows;
    }
  }
}

// The simplest description of the adapters: one size for all if they are equal and in every layer, else one per module.
Lora lora_of(const ModelConfig& config, const std::vector<AdapterPart>& parts) {
  Lora lora{.rank = parts[0].rank, .alpha = parts[0].scale * static_cast<float>(parts[0].rank), .targets = {}};
  std::set<std::string> names;
  std::map<std::string, Lora::Size> modules;
  bool alike = lora.alpha > 0;
  for (const AdapterPart& part : parts) {
    const std::string module = part.weight.substr(0, part.weight.rfind('.'));
    modules[module] = {part.rank, part.scale};
    names.insert(module.substr(module.rfind('.') + 1));
    lora.rank = std::max(lora.rank, part.rank);
    alike = alike && part.rank == parts[0].rank && part.scale == parts[0].scale;
  }
  for (const std::string& target : lora_targets()) {
    if (names.contains(target)) lora.targets.push_back(target);
  }
  ModelConfig same = config;
  same.lora = lora;
  if (!alike || adapter_specs(same).size() != 2 * modules.size()) lora.modules = std::move(modules);
  return lora;
}

}  // namespace

void add_lora(Model& model, const Lora& lora, uint64_t seed) {
  model.config = with(model.config, lora);
  init_weights(adapter_specs(model.config), seed, *model.weights);
}

void add_adapters(Model& model, const std::vector<AdapterPart>& parts) {
  if (parts.empty()) throw Error("lora: no adapters, expected at least one");
  std::map<std::string, const AdapterPart*> by_weight;
  for (const AdapterPart& part : parts) by_weight[part.weight] = &part;
  const ModelConfig config = with(model.config, lora_of(model.config, parts));
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : adapter_specs(config)) wanted.push_back({spec.name, f32, spec.shape});
  size_t known = 0;
  for_each_adapter(config, [&](const WeightSpec& matrix, const WeightPart& part, int64_t, const Lora::Size& size) {
    const AdapterPart& adapter = *by_weight.at(part.hugging_face);
    ++known;
    if (std::ssize(adapter.a) != size.rank * matrix.shape[1] || std::ssize(adapter.b) != part.rows * size.rank) {
      throw Error("{}: A has {} numbers and B {}, expected {} x {} and {} x {}", adapter.weight, adapter.a.size(),
                  adapter.b.size(), size.rank, matrix.shape[1], part.rows, size.rank);
    }
  });
  if (known != by_weight.size())
    throw Error("lora: {} adapters belong to no matrix of the model", parts.size() - known);
  model.weights->add(wanted);
  for_each_adapter(config, [&](const WeightSpec& matrix, const WeightPart& part, int64_t, const Lora::Size&) {
    const AdapterPart& adapter = *by_weight.at(part.hugging_face);
    const std::string name = adapter_name(matrix, part);
    std::ranges::copy(adapter.a, model.weights->at(name + ".lora_a").as<float>().begin());
    std::ranges::copy(adapter.b, model.weights->at(name + ".lora_b").as<float>().begin());
  });
  model.config = config;
}

std::vector<AdapterPart> adapter_parts(const Model& model) {
  std::vector<AdapterPart> parts;
  for_each_adapter(model.config, [&](const WeightSpec& matrix, const WeightPart& part, int64_t,
                                     const Lora::Size& size) {
    const std::string name = adapter_name(matrix, part);
    const auto a = model.weights->at(name + ".lora_a").as<float>(), b = model.weights->at(name + ".lora_b").as<float>();
    parts.push_back({part.hugging_face, size.rank, size.scale, {a.begin(), a.end()}, {b.begin(), b.end()}});
  });
  return parts;
}

void merge_lora(Model& model) {
  const Store& weights = *model.weights;
  if (model.config.types.matrices.is_packed()) {
    throw Error(
        "lora: the weights are {}, and adapters cannot be merged into packed weights: keep them beside these, or "
        "load the model as f32",
        model.config.types.matrices.name());
  }
  for_each_adapter(
      model.config, [&](const WeightSpec& matrix, const WeightPart& part, int64_t row, const Lora::Size& size) {
        const std::string name = adapter_name(matrix, part);
        const std::span<float> w =
            weights.at(matrix.name)
                .as<float>()
                .subspan(static_cast<size_t>(row * matrix.shape[1]), static_cast<size_t>(part.rows * matrix.shape[1]));
        add_product(w, weights.at(name + ".lora_a").as<float>(), weights.at(name + ".lora_b").as<float>(), size);
        if (!std::all_of(w.begin(), w.end(), [](float x) { return std::isfinite(x); })) {
          throw Error("lora: {}: with its adapter a weight is not finite", part.hugging_face);
        }
      });
  model.config.lora = {};
}

}  // namespace tinyllm
