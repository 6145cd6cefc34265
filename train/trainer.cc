#include <tinyllm/train/trainer.h>

#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/train/batch_graph.h>
#include <tinyllm/train/step_graph.h>
#include <tinyllm/train/update.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace tinyllm {
namespace {

// A NaN that reads "nan" and not "-nan" in messages.
float without_sign(float x) { return std::isnan(x) ? std::numeric_limits<float>::quiet_NaN() : x; }

bool is_in_halves(const Recipe& recipe, const TrainerOptions& options) {
  return recipe.accumulate > 1 || options.on_gradients;
}

// The memory of both programs of a step. What they share counts once.
Memory together(Memory pass, const Memory& update) {
  pass.states = update.states;  // The gradients, which `pass` has too, and the moments.
  pass.inputs += update.inputs;
  pass.activations += update.activations;
  pass.unplanned += update.unplanned;
  return pass;
}

// The programs of a step over rows of one length. `pass` is the whole step if there is no `update`.
struct Compiled {
  int64_t length;
  StepGraph built;
  Tensor norm;
  std::optional<Program> pass, update;
};

}  // namespace

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
  TrainerOptions options;
  CompileOptions compile_options;
  Store states;
  std::span<float> gradients;  // One block of `states`; empty if a step is one program.
  std::unique_ptr<Compiled> compiled;
  int64_t done = 0;

  State(Model& m, const Recipe& r, const ThreadPool& pool, TrainerOptions o)
      : model(m),
        recipe(r),
        options(std::move(o)),
        compile_options{.pool = pool, .store = m.weights.get(), .states = &states, .precision = r.precision} {}

  void reserve_gradients();
  void compile_for(int64_t length);
  double weight_of(const Batch& batch) const;
  template <class Run>
  Step take(const Batch& batch, Run run);
  template <class Run>
  Step compute(const Batch& batch, Run run);
};

void Trainer::State::reserve_gradients() {
  const std::vector<Store::Wanted> wanted = gradient_states(model.config);
  states.add(wanted);
  const std::span<float> last = states.at(wanted.back().name).as<float>();
  float* first = states.at(wanted.front().name).as<float>().data();
  gradients = {first, last.data() + last.size()};
}

void Trainer::State::compile_for(int64_t length) {
  if (compiled && compiled->length == length) return;
  compiled.reset();  // Frees its memory first.
  const bool in_halves = is_in_halves(recipe, options);
  if (in_halves && gradients.empty()) reserve_gradients();
  auto c = std::make_unique<Compiled>();
  c->length = length;
  (in_halves ? build_pass : build_step)(c->built, model.config, recipe, options.objective, pass_shape(recipe, length));
  c->norm = c->built.norm;
  c->pass = compile(c->built.graph, c->built.outputs, compile_options);
  if (in_halves) {
    StepGraph update;
    build_update(update, model.config, recipe);
    c->norm = update.norm;
    c->update = compile(update.graph, update.outputs, compile_options);
  }
  compiled = std::move(c);
}

double Trainer::State::weight_of(const Batch& batch) const {
  const double weight = options.objective.weight(batch);
  if (!(weight >= 0) || !std::isfinite(weight)) {
    throw Error("training: the objective gives a batch the weight {}, expected a finite number of 0 or more", weight);
  }
  return weight;
}

// Calls `run` for each program of the step.
template <class Run>
Trainer::Step Trainer::State::take(const Batch& batch, Run run) {
  const Step step = compute(batch, run);
  ++done;
  return step;
}

// The loss of a batch is the mean over all of its units. So a part counts by its share of the weight.
template <class Run>
Trainer::Step Trainer::State::compute(const Batch& whole, Run run) {
  if (whole.rows != recipe.batch_rows() || whole.length != recipe.seq_len) {
    throw Error("training: a batch of {} rows of {}, expected {} of {}", whole.rows, whole.length, recipe.batch_rows(),
                recipe.seq_len);
  }
  compile_for(seq_len_at(recipe, done));
  Program& pass = *compiled->pass;
  Program& last = compiled->update ? *compiled->update : pass;
  const std::vector<Batch> parts = divided(cut(whole, compiled->length), recipe.accumulate);
  std::vector<double> weights;
  for (const Batch& part : parts) weights.push_back(weight_of(part));
  StepGradients step{gradients, 0, std::accumulate(weights.begin(), weights.end(), 0.0)};
  const float rate = learning_rate_at(recipe, done);
  if (step.weight == 0 && !options.on_gradients) return {0, 0, rate, 0};
  last.data<float>("rate")[0] = rate;
  std::ranges::fill(gradients, 0.0f);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (weights[i] == 0) continue;
    const double share = weights[i] / step.weight;
    write_batch(pass, parts[i]);
    pass.data<int32_t>("step")[0] = static_cast<int32_t>(done * recipe.accumulate + static_cast<int64_t>(i) + 1);
    if (compiled->update) pass.data<float>("share")[0] = static_cast<float>(share);
    run(pass);
    step.loss += share * static_cast<double>(pass.read<float>(compiled->built.loss)[0]);
  }
  if (options.on_gradients) options.on_gradients(step);
  if (step.weight == 0) return {0, 0, rate, 0};
  if (compiled->update) {
    last.data<int32_t>("step")[0] = static_cast<int32_t>(done + 1);
    run(last);
  }
  return {without_sign(static_cast<float>(step.loss)), without_sign(last.read<float>(compiled->norm)[0]), rate,
          step.weight};
}

Trainer::Trainer(Model& model, const Recipe& recipe, const ThreadPool& pool, TrainerOptions options)
    : state_(std::make_unique<State>(model, recipe, pool, std::move(options))) {
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

Memory training_memory(const ModelConfig& config, const Recipe& recipe, int threads, const TrainerOptions& options) {
  check(recipe, config);
  const Shape shape = pass_shape(recipe, seq_len_at(recipe, recipe.steps));
  StepGraph first, update;
  if (!is_in_halves(recipe, options)) {
    build_step(first, config, recipe, options.objective, shape);
    return planned_memory(first.graph, first.outputs, threads);
  }
  build_pass(first, config, recipe, options.objective, shape);
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
    const std::span<const float> average = state_->states.at(ema_name(spec.name)).as<float>();
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
    add(state_->states, state.name);
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
    read(state_->states, state.name, state.shape);
  }
  state_->done = done;
}

}  // namespace tinyllm
