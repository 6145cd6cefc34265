#include <tinyllm/train/trainer.h>

#include <tinyllm/model/safetensors.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tinyllm.h>

#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

constexpr const char* kStepNote = "step";

std::string m_name(const std::string& weight) { return "adamw.m." + weight; }
std::string v_name(const std::string& weight) { return "adamw.v." + weight; }

// The loss of a batch, its inputs named as in Batch.
Tensor batch_loss(Graph& graph, const ModelConfig& config, int64_t rows, int64_t length, const Dropout& dropout) {
  const Shape shape = {rows, length};
  const TransformerInputs inputs{graph.input("tokens", i32, shape), graph.input("positions", i32, shape),
                                 graph.input("starts", i32, shape), dropout};
  return cross_entropy(lm_head(config, transformer(graph, config, inputs)), graph.input("targets", i32, shape));
}

void write(Program& program, const Batch& batch) {
  program.write("tokens", batch.tokens);
  program.write("positions", batch.positions);
  program.write("starts", batch.starts);
  program.write("targets", batch.targets);
}

}  // namespace

float rate_at(const Recipe& r, int64_t step) {
  if (step < r.warmup) return r.rate * static_cast<float>(step + 1) / static_cast<float>(r.warmup);
  const double total = static_cast<double>(std::max<int64_t>(1, r.steps - r.warmup));
  const double done = std::min(1.0, static_cast<double>(step - r.warmup) / total);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * done));
  const double last = static_cast<double>(r.final_rate);
  return static_cast<float>(static_cast<double>(r.rate) * (last + (1 - last) * cosine));
}

struct Trainer::State {
  Model& model;
  Recipe recipe;
  Store moments;
  Graph graph;
  Tensor loss, norm;
  std::optional<Program> program;
  int64_t done = 0;

  State(Model& m, const Recipe& r) : model(m), recipe(r) {}

  void prepare(const Batch& batch) {
    write(*program, batch);
    program->as<int32_t>("step")[0] = static_cast<int32_t>(done + 1);
    program->as<float>("rate")[0] = rate_at(recipe, done);
  }
};

Trainer::Trainer(Model& model, const Recipe& recipe, ThreadPool& pool)
    : state_(std::make_unique<State>(model, recipe)) {
  if (recipe.rows < 1 || recipe.length < 1 || recipe.length > model.config.context) {
    throw Error("training: batches of {} rows of {} tokens: expected 1 or more rows of 1 to {}", recipe.rows,
                recipe.length, model.config.context);
  }
  Graph& graph = state_->graph;
  const Tensor step = graph.input("step", i32, {1});
  const Tensor rate = graph.input("rate", f32, {1});
  const Tensor loss = batch_loss(graph, model.config, recipe.rows, recipe.length, {.seed = recipe.seed, .step = step});
  const std::vector<WeightSpec> specs = weight_specs(model.config);
  std::vector<Tensor> weights;
  for (const WeightSpec& spec : specs) weights.push_back(graph.find(spec.name));
  const std::vector<Tensor> grads = gradients(loss, weights);
  const ClippedNorm clipped = clip_by_global_norm(grads, recipe.clip);
  std::vector<Tensor> outputs = {loss, clipped.norm};
  for (size_t i = 0; i < specs.size(); ++i) {
    const AdamW options{.beta2 = recipe.beta2, .decay = specs[i].is_matrix ? recipe.decay : 0.0f};
    outputs.push_back(adamw(weights[i], grads[i], graph.state(m_name(specs[i].name), f32, specs[i].shape),
                            graph.state(v_name(specs[i].name), f32, specs[i].shape), step, rate, clipped.factor,
                            options));
  }
  state_->loss = loss;
  state_->norm = clipped.norm;
  state_->program = compile(graph, outputs, {.pool = &pool, .store = model.weights.get(), .states = &state_->moments});
}
Trainer::~Trainer() = default;

Trainer::Step Trainer::step(const Batch& batch) {
  State& s = *state_;
  s.prepare(batch);
  s.program->run();
  const Step step{s.program->read<float>(s.loss)[0], s.program->read<float>(s.norm)[0], rate_at(s.recipe, s.done)};
  if (!std::isfinite(step.loss) || !std::isfinite(step.grad_norm)) {
    throw Error("training: step {}: loss {} and gradient norm {} are not finite; a learning rate below {} may help",
                s.done + 1, step.loss, step.grad_norm, s.recipe.rate);
  }
  ++s.done;
  return step;
}

int64_t Trainer::steps_done() const { return state_->done; }
const Graph& Trainer::graph() const { return state_->graph; }
const Memory& Trainer::memory() const { return state_->program->memory(); }

std::vector<OpTime> Trainer::profile(const Batch& batch) {
  state_->prepare(batch);
  std::vector<OpTime> times = state_->program->profile();
  ++state_->done;
  return times;
}

void Trainer::save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const {
  std::vector<NamedTensor> tensors;
  for (const Store* store :
       {static_cast<const Store*>(state_->model.weights.get()), static_cast<const Store*>(&state_->moments)}) {
    for (const Store::Entry& entry : store->entries()) {
      tensors.push_back({entry.name, entry.dtype, entry.shape, entry.data});
    }
  }
  notes[kStepNote] = std::to_string(state_->done);
  save_safetensors(path, tensors, std::move(notes));
}

void Trainer::restore(const Safetensors& checkpoint) {
  for (const WeightSpec& spec : weight_specs(state_->model.config)) {
    checkpoint.read(spec.name, spec.shape, state_->model.weights->at(spec.name).as<float>());
    for (const std::string& name : {m_name(spec.name), v_name(spec.name)}) {
      checkpoint.read(name, spec.shape, state_->moments.at(name).as<float>());
    }
  }
  const auto step = checkpoint.metadata().find(kStepNote);
  if (step == checkpoint.metadata().end()) throw Error("{}: does not say its step", checkpoint.path().string());
  state_->done = std::stoll(step->second);
}

struct Evaluator::State {
  int64_t rows;
  Tensor loss;
  Program program;
};

Evaluator::Evaluator(const Model& model, int64_t rows, int64_t length, ThreadPool& pool) {
  Graph graph;
  const Tensor loss = batch_loss(graph, model.config, rows, length, {});
  state_ =
      std::make_unique<State>(State{rows, loss, compile(graph, {loss}, {.pool = &pool, .store = model.weights.get()})});
}
Evaluator::~Evaluator() = default;

double Evaluator::loss(const Dataset& data, int64_t max_rows) {
  const int64_t batches = (std::min(data.rows(), max_rows) + state_->rows - 1) / state_->rows;
  const int64_t all = (data.rows() + state_->rows - 1) / state_->rows;
  double total = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < batches; ++i) {
    const Batch batch = data.in_order(i * all / batches * state_->rows, state_->rows);
    const auto learned =
        static_cast<int64_t>(batch.targets.size()) - std::count(batch.targets.begin(), batch.targets.end(), kIgnore);
    write(state_->program, batch);
    state_->program.run();
    total += static_cast<double>(state_->program.read<float>(state_->loss)[0]) * static_cast<double>(learned);
    count += learned;
  }
  if (count == 0) throw Error("evaluation: the data has no targets");
  return total / static_cast<double>(count);
}

}  // namespace tinyllm
