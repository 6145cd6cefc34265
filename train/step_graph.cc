#include <tinyllm/train/step_graph.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/train/batch_graph.h>
#include <tinyllm/train/update.h>

namespace tinyllm {
namespace {

// Forward and backward pass over a batch. `step` selects the dropout masks.
struct Pass {
  Tensor loss;
  std::vector<Tensor> weights, grads;
};
Pass append_pass(Graph& graph, const ModelConfig& config, const Recipe& recipe, const Objective& objective, Shape shape,
                 Tensor step) {
  std::vector<Tensor> residuals;
  const Dropout dropout{.seed = recipe.seed, .step = step};
  Pass pass;
  pass.loss = batch_loss(graph, config, recipe, objective, shape, dropout, PackedInput::exact, &residuals);
  for (const WeightSpec& spec : trained_specs(config)) pass.weights.push_back(graph.find(spec.name));
  if (!recipe.checkpoint_activations) residuals.clear();
  pass.grads = gradients(pass.loss, pass.weights, {.checkpoints = residuals});
  return pass;
}

}  // namespace

void build_step(StepGraph& built, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                Shape shape) {
  const Tensor step = built.graph.input("step", i32, {1});
  const Pass pass = append_pass(built.graph, config, recipe, objective, shape, step);
  const Update updated = append_update(built.graph, config, recipe, pass.weights, pass.grads, step);
  built.loss = pass.loss;
  built.norm = updated.norm;
  built.outputs = updated.results;
  built.outputs.push_back(built.loss);
}

void build_pass(StepGraph& built, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                Shape shape) {
  const Tensor step = built.graph.input("step", i32, {1});
  const Pass pass = append_pass(built.graph, config, recipe, objective, shape, step);
  const Tensor share = built.graph.input("share", f32, {1});
  built.loss = pass.loss;
  built.outputs = {built.loss};
  const std::vector<Store::Wanted> states = gradient_states(config);
  for (size_t i = 0; i < states.size(); ++i) {
    const Tensor total = built.graph.state(states[i].name, f32, states[i].shape);
    built.outputs.push_back(accumulate(total, pass.grads[i], share));
  }
}

void build_update(StepGraph& built, const ModelConfig& config, const Recipe& recipe) {
  std::vector<Tensor> weights, grads;
  for (const WeightSpec& spec : trained_specs(config)) {
    weights.push_back(built.graph.parameter(spec.name, f32, spec.shape));
  }
  for (const Store::Wanted& state : gradient_states(config)) {
    grads.push_back(built.graph.state(state.name, f32, state.shape));
  }
  const Update updated =
      append_update(built.graph, config, recipe, weights, grads, built.graph.input("step", i32, {1}));
  built.norm = updated.norm;
  built.outputs = updated.results;
}

std::vector<Store::Wanted> gradient_states(const ModelConfig& config) {
  std::vector<Store::Wanted> states;
  for (const WeightSpec& spec : trained_specs(config)) states.push_back({"grad." + spec.name, f32, spec.shape});
  return states;
}

Shape pass_shape(const Recipe& recipe, int64_t seq_len) {
  return {recipe.batch_size * recipe.seq_len / seq_len, seq_len};
}

}  // namespace tinyllm
