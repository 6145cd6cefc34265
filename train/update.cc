#include <tinyllm/train/update.h>

#include <algorithm>
#include <iterator>

namespace tinyllm {
namespace {

bool has_muon(const Recipe& recipe, const WeightSpec& spec) {
  return recipe.optimizer == Optimizer::muon && spec.role == WeightRole::matrix;
}

// The states that the update of a weight keeps: its own ones, then its average if there is one.
std::vector<Store::Wanted> states_of(const Recipe& recipe, const WeightSpec& spec) {
  std::vector<std::string> names = {"adamw.m." + spec.name, "adamw.v." + spec.name};
  if (has_muon(recipe, spec)) names = {"muon.momentum." + spec.name};
  if (recipe.ema_decay > 0) names.push_back(ema_name(spec.name));
  std::vector<Store::Wanted> states;
  for (const std::string& name : names) states.push_back({name, f32, spec.shape});
  return states;
}

// What the learning rate is multiplied by for a weight.
float lr_factor(const Recipe& recipe, WeightRole role) {
  if (role == WeightRole::embedding) return recipe.embedding_lr;
  return role == WeightRole::head ? recipe.head_lr : 1;
}

}  // namespace

std::string ema_name(const std::string& weight) { return "ema." + weight; }

Update append_update(Graph& graph, const ModelConfig& config, const Recipe& recipe, const std::vector<Tensor>& weights,
                     const std::vector<Tensor>& grads, Tensor step) {
  const Tensor rate = graph.input("rate", f32, {1});
  const ClippedNorm clipped = clip_by_global_norm(grads, recipe.max_grad_norm);
  const std::vector<WeightSpec> specs = trained_specs(config);
  Update update{clipped.norm, {clipped.norm}};
  for (size_t i = 0; i < specs.size(); ++i) {
    const WeightSpec& spec = specs[i];
    std::vector<Tensor> states;
    for (const Store::Wanted& state : states_of(recipe, spec))
      states.push_back(graph.state(state.name, f32, spec.shape));
    Tensor updated;
    if (has_muon(recipe, spec)) {
      const Muon options{.momentum = recipe.momentum, .decay = recipe.weight_decay, .parts = spec.equal_parts()};
      updated = muon(weights[i], grads[i], states[0], rate, clipped.factor, options);
    } else {
      const bool decays = spec.role != WeightRole::norm && spec.role != WeightRole::bias;
      const AdamW options{.beta2 = recipe.beta2, .decay = decays ? recipe.weight_decay : 0.0f};
      const float factor = lr_factor(recipe, spec.role);
      const Tensor own_rate = factor == 1 ? rate : scale(rate, factor);
      updated = adamw(weights[i], grads[i], states[0], states[1], step, own_rate, clipped.factor, options);
    }
    update.results.push_back(updated);
    if (recipe.ema_decay > 0) {
      const Tensor fresh = graph.constant(1 - recipe.ema_decay, {1});
      update.results.push_back(accumulate(states.back(), updated, fresh, recipe.ema_decay));
    }
  }
  return update;
}

std::vector<Store::Wanted> update_states(const ModelConfig& config, const Recipe& recipe) {
  std::vector<Store::Wanted> all;
  for (const WeightSpec& spec : trained_specs(config))
    std::ranges::move(states_of(recipe, spec), std::back_inserter(all));
  return all;
}

}  // namespace tinyllm
