#include <tinyllm/train/trainer.h>

#include <tinyllm/model/safetensors.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tinyllm.h>
#include <tinyllm/train/update.h>

#include <cmath>

namespace tinyllm {
namespace {

std::string grad_name(const std::string& weight) { return "grad." + weight; }

// The loss of a batch, its inputs named as in Batch.
Tensor batch_loss(Graph& graph, const ModelConfig& config, int64_t rows, int64_t length, const Dropout& dropout = {},
                  std::vector<Tensor>* residuals = nullptr) {
  const Shape shape = {rows, length};
  const TransformerInputs inputs{graph.input("tokens", i32, shape), graph.input("positions", i32, shape),
                                 graph.input("starts", i32, shape), dropout, residuals};
  return lm_loss(config, transformer(graph, config, inputs), graph.input("targets", i32, shape));
}

// Rows [first, first + rows) of a batch.
void write(Program& program, const Batch& batch, int64_t first, int64_t rows) {
  const auto part = [&](const std::vector<int32_t>& all) {
    return std::span(all).subspan(static_cast<size_t>(first * batch.length), static_cast<size_t>(rows * batch.length));
  };
  program.write("tokens", part(batch.tokens));
  program.write("positions", part(batch.positions));
  program.write("starts", part(batch.starts));
  program.write("targets", part(batch.targets));
}

int64_t count_learned(std::span<const int32_t> targets) {
  return static_cast<int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), kIgnore);
}

// Forward and backward pass of `recipe.rows` rows. Their dropout is that of the number in `step`.
struct Pass {
  Tensor loss;
  std::vector<Tensor> weights, grads;
};
Pass append_pass(Graph& graph, const ModelConfig& config, const Recipe& recipe, Tensor step) {
  std::vector<Tensor> residuals;
  const Dropout dropout{.seed = recipe.seed, .step = step};
  Pass pass;
  pass.loss = batch_loss(graph, config, recipe.rows, recipe.length, dropout, &residuals);
  for (const WeightSpec& spec : trained_specs(config)) pass.weights.push_back(graph.find(spec.name));
  if (!recipe.recompute) residuals.clear();
  pass.grads = gradients(pass.loss, pass.weights, {.checkpoints = residuals});
  return pass;
}

}  // namespace

// Without accumulation `pass` is the whole step, and gradients live in its arena until they are applied. With it,
// `pass` adds the gradients of a part of the batch to states, and `update` applies them.
struct Trainer::State {
  Model& model;
  Recipe recipe;
  Store moments;
  Graph graph;
  Tensor loss, norm;
  std::optional<Program> pass, update;
  int64_t done = 0;

  State(Model& m, const Recipe& r) : model(m), recipe(r) {}

  void compile_whole(const CompileOptions& options);
  void compile_parts(const CompileOptions& options);
  void clear_grads();
  template <class Run>
  Step take(const Batch& batch, Run run);
};

void Trainer::State::compile_whole(const CompileOptions& options) {
  const Tensor step = graph.input("step", i32, {1});
  const Pass both = append_pass(graph, model.config, recipe, step);
  const Update updated = append_update(graph, model.config, recipe, both.weights, both.grads, step);
  loss = both.loss;
  norm = updated.norm;
  std::vector<Tensor> outputs = updated.results;
  outputs.push_back(loss);
  pass = compile(graph, outputs, options);
}

void Trainer::State::compile_parts(const CompileOptions& options) {
  const std::vector<WeightSpec> specs = trained_specs(model.config);
  const Pass both = append_pass(graph, model.config, recipe, graph.input("step", i32, {1}));
  const Tensor share = graph.input("share", f32, {1});
  loss = both.loss;
  std::vector<Tensor> outputs = {loss};
  for (size_t i = 0; i < specs.size(); ++i) {
    const Tensor total = graph.state(grad_name(specs[i].name), f32, specs[i].shape);
    outputs.push_back(accumulate(total, both.grads[i], share));
  }
  pass = compile(graph, outputs, options);

  Graph update_graph;
  std::vector<Tensor> weights, grads;
  for (const WeightSpec& spec : specs) {
    weights.push_back(update_graph.parameter(spec.name, f32, spec.shape));
    grads.push_back(update_graph.state(grad_name(spec.name), f32, spec.shape));
  }
  const Update updated =
      append_update(update_graph, model.config, recipe, weights, grads, update_graph.input("step", i32, {1}));
  norm = updated.norm;
  update = compile(update_graph, updated.results, options);
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
Trainer::Step Trainer::State::take(const Batch& batch, Run run) {
  if (batch.rows != recipe.batch_rows()) {
    throw Error("training: a batch of {} rows, expected {}", batch.rows, recipe.batch_rows());
  }
  const auto learned = static_cast<double>(std::max<int64_t>(1, count_learned(batch.targets)));
  double mean = 0;
  if (update) clear_grads();
  Program& last = update ? *update : *pass;
  last.as<float>("rate")[0] = rate_at(recipe, done);
  for (int64_t part = 0; part < recipe.accumulate; ++part) {
    write(*pass, batch, part * recipe.rows, recipe.rows);
    pass->as<int32_t>("step")[0] = static_cast<int32_t>(done * recipe.accumulate + part + 1);
    const double share = static_cast<double>(count_learned(pass->as<int32_t>("targets"))) / learned;
    if (update) pass->as<float>("share")[0] = static_cast<float>(share);
    run(*pass);
    mean += share * static_cast<double>(pass->read<float>(loss)[0]);
  }
  if (update) {
    update->as<int32_t>("step")[0] = static_cast<int32_t>(done + 1);
    run(*update);
  }
  ++done;
  return {static_cast<float>(mean), last.read<float>(norm)[0], last.as<float>("rate")[0]};
}

Trainer::Trainer(Model& model, const Recipe& recipe, ThreadPool& pool)
    : state_(std::make_unique<State>(model, recipe)) {
  check(recipe, model.config.context);
  const CompileOptions options{
      .pool = &pool, .store = model.weights.get(), .states = &state_->moments, .precision = recipe.precision};
  if (recipe.accumulate == 1) {
    state_->compile_whole(options);
  } else {
    state_->compile_parts(options);
  }
}
Trainer::~Trainer() = default;

Trainer::Step Trainer::step(const Batch& batch) {
  return state_->take(batch, [](Program& program) { program.run(); });
}

int64_t Trainer::steps_done() const { return state_->done; }
const Graph& Trainer::graph() const { return state_->graph; }

Memory Trainer::memory() const {
  Memory memory = state_->pass->memory();
  if (state_->update) {
    const Memory& update = state_->update->memory();
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

struct Evaluator::State {
  int64_t rows;
  Tensor loss;
  Program program;
};

Evaluator::Evaluator(const Model& model, int64_t rows, int64_t length, ThreadPool& pool) {
  Graph graph;
  const Tensor loss = batch_loss(graph, model.config, rows, length);
  state_ =
      std::make_unique<State>(State{rows, loss, compile(graph, {loss}, {.pool = &pool, .store = model.weights.get()})});
}
Evaluator::~Evaluator() = default;

double Evaluator::loss(const RowSource& data, int64_t max_rows) {
  const int64_t batches = (std::min(data.rows(), max_rows) + state_->rows - 1) / state_->rows;
  const int64_t all = (data.rows() + state_->rows - 1) / state_->rows;
  double total = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < batches; ++i) {
    const Batch batch = data.in_order(i * all / batches * state_->rows, state_->rows);
    const int64_t learned = count_learned(batch.targets);
    write(state_->program, batch, 0, batch.rows);
    state_->program.run();
    total += static_cast<double>(state_->program.read<float>(state_->loss)[0]) * static_cast<double>(learned);
    count += learned;
  }
  if (count == 0) throw Error("evaluation: the data has no targets");
  return total / static_cast<double>(count);
}

}  // namespace tinyllm
