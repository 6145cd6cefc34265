#include <tinyllm/train/trainer.h>

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tinyllm.h>
#include <tinyllm/train/batch_graph.h>
#include <tinyllm/train/update.h>

#include <cmath>
#include <limits>

namespace tinyllm {
namespace {

std::string grad_name(const std::string& weight) { return "grad." + weight; }

// A NaN that reads "nan" and not "-nan" in messages.
float without_sign(float x) { return std::isnan(x) ? std::numeric_limits<float>::quiet_NaN() : x; }

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
  if (!recipe.checkpoint_activations) residuals.clear();
  pass.grads = gradients(pass.loss, pass.weights, {.checkpoints = residuals});
  return pass;
}

// A program before it is compiled. `norm` is empty where the program is the pass of a part of the batch, and `loss`
// where it is the update.
struct Built {
  Graph graph;
  Tensor loss, norm;
  std::vector<Tensor> outputs;
};

// A whole step: gradients live in the arena until they are applied.
void build_step(Built& built, const ModelConfig& config, const Recipe& recipe, const LossFn& loss, Shape shape) {
  const Tensor step = built.graph.input("step", i32, {1});
  const Pass both = append_pass(built.graph, config, recipe, loss, shape, step);
  const Update updated = append_update(built.graph, config, recipe, both.weights, both.grads, step);
  built.loss = both.loss;
  built.norm = updated.norm;
  built.outputs = updated.results;
  built.outputs.push_back(built.loss);
}

// With accumulation: adds the gradients of a part of the batch to states.
void build_pass(Built& built, const ModelConfig& config, const Recipe& recipe, const LossFn& loss, Shape shape) {
  const std::vector<WeightSpec> specs = trained_specs(config);
  const Tensor step = built.graph.input("step", i32, {1});
  const Pass both = append_pass(built.graph, config, recipe, loss, shape, step);
  const Tensor share = built.graph.input("share", f32, {1});
  built.loss = both.loss;
  built.outputs = {built.loss};
  for (size_t i = 0; i < specs.size(); ++i) {
    const Tensor total = built.graph.state(grad_name(specs[i].name), f32, specs[i].shape);
    built.outputs.push_back(accumulate(total, both.grads[i], share));
  }
}

// With accumulation: applies these gradients.
void build_update(Built& built, const ModelConfig& config, const Recipe& recipe) {
  std::vector<Tensor> weights, grads;
  for (const WeightSpec& spec : trained_specs(config)) {
    weights.push_back(built.graph.parameter(spec.name, f32, spec.shape));
    grads.push_back(built.graph.state(grad_name(spec.name), f32, spec.shape));
  }
  const Update updated =
      append_update(built.graph, config, recipe, weights, grads, built.graph.input("step", i32, {1}));
  built.norm = updated.norm;
  built.outputs = updated.results;
}

Shape shape_of_rows(const Recipe& recipe, int64_t seq_len) {
  return {recipe.batch_size * recipe.seq_len / seq_len, seq_len};
}

// Of both programs of a step; what they share counts once.
Memory together(Memory pass, const Memory& update) {
  pass.states = update.states;  // The gradients, which `pass` has too, and the moments.
  pass.inputs += update.inputs;
  pass.activations += update.activations;
  pass.unplanned += update.unplanned;
  return pass;
}

// The programs of a step over rows of one length: without accumulation `pass` is the whole step.
struct Compiled {
  int64_t rows, length;
  Built built;
  Tensor norm;
  std::optional<Program> pass, update;
};

}  // namespace

Tensor next_token_loss(const LossInputs& in) {
  return lm_loss(in.config, transformer(in.graph, in.config, in.inputs), in.targets, in.recipe.z_loss);
}

double step_flops(const ModelConfig& c, int64_t rows, int64_t length) {
  int64_t matrices = 0;
  for (const WeightSpec& spec : weight_specs(c)) {
    if (spec.role == WeightRole::matrix || spec.role == WeightRole::head) matrices += spec.shape.size();
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
  void clear_grads();
  template <class Run>
  Step take(const Batch& batch, Run run);
};

void Trainer::State::compile_for(int64_t length) {
  if (compiled && compiled->length == length) return;
  compiled.reset();  // Its memory first.
  const Shape shape = shape_of_rows(recipe, length);
  auto c = std::make_unique<Compiled>();
  c->rows = shape[0];
  c->length = length;
  const bool is_whole = recipe.accumulate == 1;
  (is_whole ? build_step : build_pass)(c->built, model.config, recipe, loss_fn, shape);
  c->norm = c->built.norm;
  c->pass = compile(c->built.graph, c->built.outputs, options);
  if (!is_whole) {
    Built update;
    build_update(update, model.config, recipe);
    c->norm = update.norm;
    c->update = compile(update.graph, update.outputs, options);
  }
  compiled = std::move(c);
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
  if (whole.rows != recipe.batch_rows() || whole.length != recipe.seq_len) {
    throw Error("training: a batch of {} rows of {}, expected {} of {}", whole.rows, whole.length, recipe.batch_rows(),
                recipe.seq_len);
  }
  compile_for(seq_len_at(recipe, done));
  Program& pass = *compiled->pass;
  Program& last = compiled->update ? *compiled->update : pass;
  const Batch batch = cut(whole, compiled->length);
  const int64_t learned = count_learned(batch.targets);
  const float rate = learning_rate_at(recipe, done);
  if (learned == 0) {
    ++done;
    return {0, 0, rate, 0};
  }
  double mean = 0;
  if (compiled->update) clear_grads();
  last.data<float>("rate")[0] = rate;
  for (int64_t part = 0; part < recipe.accumulate; ++part) {
    write_rows(pass, batch, part * compiled->rows, compiled->rows);
    pass.data<int32_t>("step")[0] = static_cast<int32_t>(done * recipe.accumulate + part + 1);
    const double share =
        static_cast<double>(count_learned(pass.data<int32_t>("targets"))) / static_cast<double>(learned);
    if (compiled->update) pass.data<float>("share")[0] = static_cast<float>(share);
    run(pass);
    mean += share * static_cast<double>(pass.read<float>(compiled->built.loss)[0]);
  }
  if (compiled->update) {
    last.data<int32_t>("step")[0] = static_cast<int32_t>(done + 1);
    run(last);
  }
  ++done;
  return {without_sign(static_cast<float>(mean)), without_sign(last.read<float>(compiled->norm)[0]), rate, learned};
}

Trainer::Trainer(Model& model, const Recipe& recipe, ThreadPool& pool, LossFn loss)
    : state_(std::make_unique<State>(model, recipe, pool, std::move(loss))) {
  check(recipe, model.config);
  state_->compile_for(seq_len_at(recipe, 0));
}
Trainer::~Trainer() = default;

Trainer::Step Trainer::step(const Batch& batch) {
  return state_->take(batch, [](Program& program) { program.run(); });
}

int64_t Trainer::steps_done() const { return state_->done; }
const Graph& Trainer::graph() const { return state_->compiled->built.graph; }

Memory Trainer::memory() const {
  const Memory& pass = state_->compiled->pass->memory();
  return state_->compiled->update ? together(pass, state_->compiled->update->memory()) : pass;
}

Memory training_memory(const ModelConfig& config, const Recipe& recipe, int threads, const LossFn& loss) {
  check(recipe, config);
  const Shape shape = shape_of_rows(recipe, seq_len_at(recipe, recipe.steps));
  Built first, update;
  if (recipe.accumulate == 1) {
    build_step(first, config, recipe, loss, shape);
    return planned_memory(first.graph, first.outputs, threads);
  }
  build_pass(first, config, recipe, loss, shape);
  build_update(update, config, recipe);
  return together(planned_memory(first.graph, first.outputs, threads),
                  planned_memory(update.graph, update.outputs, threads));
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

void Trainer::copy_ema(Store& weights) const {
  const auto keep = static_cast<double>(state_->recipe.ema_decay);
  const auto scale = static_cast<float>(1 / (1 - std::pow(keep, static_cast<double>(state_->done))));
  for (const WeightSpec& spec : trained_specs(state_->model.config)) {
    const std::span<const float> average = state_->moments.at(ema_name(spec.name)).as<float>();
    std::transform(average.begin(), average.end(), weights.at(spec.name).as<float>().begin(),
                   [&](float x) { return x * scale; });
  }
}

void Trainer::save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const Store& store, const std::string& name) {
    const Store::Entry& entry = store.at(name);
    tensors.push_back({entry.name, entry.type.dtype(), entry.shape, entry.data});
  };
  for (const WeightSpec& spec : trained_specs(state_->model.config)) add(*state_->model.weights, spec.name);
  for (const Store::Wanted& state : update_states(state_->model.config, state_->recipe))
    add(state_->moments, state.name);
  notes[kStepNote] = std::to_string(state_->done);
  save_safetensors(path, tensors, std::move(notes));
}

void Trainer::restore(const Safetensors& checkpoint) {
  const int64_t done = checkpoint.number(kStepNote);
  const int64_t most = std::numeric_limits<int32_t>::max() / state_->recipe.accumulate - 1;
  if (done > most) throw Error("{}: step {}, expected at most {}", checkpoint.path().string(), done, most);
  const auto read = [&](const Store& store, const std::string& name, const Shape& shape) {
    checkpoint.read(name, shape, store.at(name).as<float>());
  };
  for (const WeightSpec& spec : trained_specs(state_->model.config)) {
    read(*state_->model.weights, spec.name, spec.shape);
  }
  for (const Store::Wanted& state : update_states(state_->model.config, state_->recipe)) {
    read(state_->moments, state.name, state.shape);
  }
  state_->done = done;
}

}  // namespace tinyllm
