#include <tinyllm/train/trainer.h>

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tinyllm.h>
#include <tinyllm/train/batch_graph.h>
#include <tinyllm/train/update.h>

#include <cmath>

namespace tinyllm {
namespace {

std::string grad_name(const std::string& weight) { return "grad." + weight; }

// Forward and backward pass over rows of a shape. Their dropout is that of the number in `step`.
struct Pass {
  Tensor loss;
  std::vector<Tensor> weights, grads;
};
Pass append_pass(Graph& graph, const ModelConfig& config, const Recipe& recipe, const LossFn& loss, Shape shape,
                 Tensor step) {
  std::vector<Tensor> residuals;
  const Dropout dropout{.seed = recipe.seed, .step = step};
  Pass pass;
  pass.loss = batch_loss(graph, config, recipe, loss, shape, dropout, &residuals);
  for (const WeightSpec& spec : trained_specs(config)) pass.weights.push_back(graph.find(spec.name));
  if (!recipe.recompute) residuals.clear();
  pass.grads = gradients(pass.loss, pass.weights, {.checkpoints = residuals});
  return pass;
}

// A step over rows of one length. Without accumulation `pass` is the whole step, and gradients live in its arena until
// they are applied. With it, `pass` adds the gradients of a part of the batch to states, and `update` applies them.
struct Compiled {
  int64_t rows, length;
  Graph graph;
  Tensor loss, norm;
  std::optional<Program> pass, update;
};

}  // namespace

Tensor next_token_loss(const LossInputs& in) {
  return lm_loss(in.config, transformer(in.graph, in.config, in.inputs), in.targets, in.recipe.z_loss);
}

double step_flops(const ModelConfig& c, int64_t rows, int64_t length) {
  int64_t matrices = 0;
  for (const WeightSpec& spec : weight_specs(c)) {
    if (spec.role != WeightRole::vector && spec.name != "tok_emb.weight") matrices += spec.shape.size();
  }
  const double weights = (c.lora.rank > 0 ? 4.0 : 6.0) * static_cast<double>(matrices);
  return static_cast<double>(rows * length) * (weights + 6.0 * static_cast<double>(c.n_layers * length * c.dim));
}

struct Trainer::State {
  Model& model;
  Recipe recipe;
  LossFn loss_fn;
  CompileOptions options;
  Store moments;
  std::unique_ptr<Compiled> compiled;
  int64_t done = 0;

  State(Model& m, const Recipe& r, ThreadPool& pool, LossFn loss)
      : model(m),
        recipe(r),
        loss_fn(std::move(loss)),
        options{.pool = &pool, .store = m.weights.get(), .states = &moments, .precision = r.precision} {}

  void compile_for(int64_t length);
  void compile_whole(Compiled& c);
  void compile_parts(Compiled& c);
  void clear_grads();
  template <class Run>
  Step take(const Batch& batch, Run run);
};

void Trainer::State::compile_for(int64_t length) {
  if (compiled && compiled->length == length) return;
  compiled.reset();  // Its memory first.
  compiled = std::make_unique<Compiled>();
  compiled->rows = recipe.rows * recipe.length / length;
  compiled->length = length;
  if (recipe.accumulate == 1) {
    compile_whole(*compiled);
  } else {
    compile_parts(*compiled);
  }
}

void Trainer::State::compile_whole(Compiled& c) {
  const Tensor step = c.graph.input("step", i32, {1});
  const Pass both = append_pass(c.graph, model.config, recipe, loss_fn, {c.rows, c.length}, step);
  const Update updated = append_update(c.graph, model.config, recipe, both.weights, both.grads, step);
  c.loss = both.loss;
  c.norm = updated.norm;
  std::vector<Tensor> outputs = updated.results;
  outputs.push_back(c.loss);
  c.pass = compile(c.graph, outputs, options);
}

void Trainer::State::compile_parts(Compiled& c) {
  const std::vector<WeightSpec> specs = trained_specs(model.config);
  const Tensor step = c.graph.input("step", i32, {1});
  const Pass both = append_pass(c.graph, model.config, recipe, loss_fn, {c.rows, c.length}, step);
  const Tensor share = c.graph.input("share", f32, {1});
  c.loss = both.loss;
  std::vector<Tensor> outputs = {c.loss};
  for (size_t i = 0; i < specs.size(); ++i) {
    const Tensor total = c.graph.state(grad_name(specs[i].name), f32, specs[i].shape);
    outputs.push_back(accumulate(total, both.grads[i], share));
  }
  c.pass = compile(c.graph, outputs, options);

  Graph update_graph;
  std::vector<Tensor> weights, grads;
  for (const WeightSpec& spec : specs) {
    weights.push_back(update_graph.parameter(spec.name, f32, spec.shape));
    grads.push_back(update_graph.state(grad_name(spec.name), f32, spec.shape));
  }
  const Update updated =
      append_update(update_graph, model.config, recipe, weights, grads, update_graph.input("step", i32, {1}));
  c.norm = updated.norm;
  c.update = compile(update_graph, updated.results, options);
}

void Trainer::State::clear_grads() {
  for (const WeightSpec& spec : trained_specs(model.config)) {
    const std::span<float> grad = moments.at(grad_name(spec.name)).as<float>();
    std::fill(grad.begin(), grad.end(), 0.0f);
  }
}

// `run` is given each program when it is to run. The loss of a batch is the mean over all of its targets, and not the
// mean of its parts' means: a part counts by its share of the targets.
template <class Run>
Trainer::Step Trainer::State::take(const Batch& whole, Run run) {
  if (whole.rows != recipe.batch_rows() || whole.length != recipe.length) {
    throw Error("training: a batch of {} rows of {}, expected {} of {}", whole.rows, whole.length, recipe.batch_rows(),
                recipe.length);
  }
  compile_for(length_at(recipe, done));
  Program& pass = *compiled->pass;
  Program& last = compiled->update ? *compiled->update : pass;
  const Batch batch = cut(whole, compiled->length);
  const int64_t learned = count_learned(batch.targets);
  const float rate = rate_at(recipe, done);
  if (learned == 0) {
    ++done;
    return {0, 0, rate, 0};
  }
  double mean = 0;
  if (compiled->update) clear_grads();
  last.as<float>("rate")[0] = rate;
  for (int64_t part = 0; part < recipe.accumulate; ++part) {
    write_rows(pass, batch, part * compiled->rows, compiled->rows);
    pass.as<int32_t>("step")[0] = static_cast<int32_t>(done * recipe.accumulate + part + 1);
    const double share = static_cast<double>(count_learned(pass.as<int32_t>("targets"))) / static_cast<double>(learned);
    if (compiled->update) pass.as<float>("share")[0] = static_cast<float>(share);
    run(pass);
    mean += share * static_cast<double>(pass.read<float>(compiled->loss)[0]);
  }
  if (compiled->update) {
    last.as<int32_t>("step")[0] = static_cast<int32_t>(done + 1);
    run(last);
  }
  ++done;
  return {static_cast<float>(mean), last.read<float>(compiled->norm)[0], rate, learned};
}

Trainer::Trainer(Model& model, const Recipe& recipe, ThreadPool& pool, LossFn loss)
    : state_(std::make_unique<State>(model, recipe, pool, std::move(loss))) {
  check(recipe, model.config);
  state_->compile_for(length_at(recipe, 0));
}
Trainer::~Trainer() = default;

Trainer::Step Trainer::step(const Batch& batch) {
  return state_->take(batch, [](Program& program) { program.run(); });
}

int64_t Trainer::steps_done() const { return state_->done; }
const Graph& Trainer::graph() const { return state_->compiled->graph; }

Memory Trainer::memory() const {
  Memory memory = state_->compiled->pass->memory();
  if (state_->compiled->update) {
    const Memory& update = state_->compiled->update->memory();
    memory.states = update.states;  // The gradients, which `pass` has too, and the moments.
    memory.inputs += update.inputs;
    memory.activations += update.activations;
    memory.unplanned += update.unplanned;
  }
  return memory;
}

std::vector<OpTime> Trainer::profile(const Batch& batch) {
  std::vector<OpTime> all;
  state_->take(batch, [&](Program& program) {
    for (const OpTime& time : program.profile()) {
      const auto same = std::find_if(all.begin(), all.end(), [&](const OpTime& other) { return other.op == time.op; });
      if (same == all.end()) {
        all.push_back(time);
      } else {
        same->nodes += time.nodes;
        same->seconds += time.seconds;
        same->flops += time.flops;
        same->bytes += time.bytes;
      }
    }
  });
  return all;
}

void Trainer::copy_average(Store& weights) const {
  const auto keep = static_cast<double>(state_->recipe.average);
  const auto scale = static_cast<float>(1 / (1 - std::pow(keep, static_cast<double>(state_->done))));
  for (const WeightSpec& spec : trained_specs(state_->model.config)) {
    const std::span<const float> average = state_->moments.at(average_name(spec.name)).as<float>();
    std::transform(average.begin(), average.end(), weights.at(spec.name).as<float>().begin(),
                   [&](float x) { return x * scale; });
  }
}

void Trainer::save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const Store& store, const std::string& name) {
    const Store::Entry& entry = store.at(name);
    tensors.push_back({entry.name, entry.dtype, entry.shape, entry.data});
  };
  for (const WeightSpec& spec : trained_specs(state_->model.config)) add(*state_->model.weights, spec.name);
  for (const Store::Wanted& state : update_states(state_->model.config, state_->recipe))
    add(state_->moments, state.name);
  notes[kStepNote] = std::to_string(state_->done);
  save_safetensors(path, tensors, std::move(notes));
}

void Trainer::restore(const Safetensors& checkpoint) {
  const auto read = [&](const Store& store, const std::string& name, const Shape& shape) {
    checkpoint.read(name, shape, store.at(name).as<float>());
  };
  for (const WeightSpec& spec : trained_specs(state_->model.config)) {
    read(*state_->model.weights, spec.name, spec.shape);
  }
  for (const Store::Wanted& state : update_states(state_->model.config, state_->recipe)) {
    read(state_->moments, state.name, state.shape);
  }
  state_->done = checkpoint.number(kStepNote);
}

}  // namespace tinyllm
