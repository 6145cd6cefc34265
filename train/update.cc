#include <tinyllm/train/update.h>

namespace tinyllm {
namespace {

std::string m_name(const std::string& weight) { return "adamw.m." + weight; }
std::string v_name(const std::string& weight) { return "adamw.v." + weight; }
std::string momentum_name(const std::string& weight) { return "muon.momentum." + weight; }

bool has_muon(const Recipe& recipe, const WeightSpec& spec) {
  return recipe.optimizer == Optimizer::muon && spec.role == WeightRole::matrix;
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
    const auto state = [&](const std::string& name) { return graph.state(name, f32, spec.shape); };
    Tensor updated;
    if (has_muon(recipe, spec)) {
      const Muon options{.momentum = recipe.momentum, .decay = recipe.weight_decay, .parts = spec.equal_parts()};
      updated = muon(weights[i], grads[i], state(momentum_name(spec.name)), rate, clipped.factor, options);
    } else {
      const bool decays = spec.role != WeightRole::norm && spec.role != WeightRole::bias;
      const AdamW options{.beta2 = recipe.beta2, .decay = decays ? recipe.weight_decay : 0.0f};
      updated = adamw(weights[i], grads[i], state(m_name(spec.name)), state(v_name(spec.name)), step, rate,
                      clipped.factor, options);
    }
    update.results.push_back(updated);
    if (recipe.ema_decay > 0) {
      const Tensor fresh = graph.constant(1 - recipe.ema_decay, {1});
      update.results.push_back(accumulate(state(ema_name(spec.name)), updated, fresh, recipe.ema_decay));
    }
  }
  return update;
}

std::vector<Store::Wanted> update_states(const ModelConfig& config, const Recipe& recipe) {
  std::vector<Store::Wanted> states;
  for (const WeightSpec& spec : trained_specs(config)) {
    if (has_muon(recipe, spec)) {
      states.push_back({momentum_name(spec.name), f32, spec.shape});
    } else {
      states.push_back({m_name(spec.name), f32, spec.shape});
      states.push_back({v_name(spec.name), f32, spec.shape});
    }
    if (recipe.ema_decay > 0) states.push_back({ema_name(spec.name), f32, spec.shape});
  }
  return states;
}

}  // namespace tinyllm
