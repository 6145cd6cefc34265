#include <tinyllm/train/run_plan.h>

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace tinyllm {
namespace {

uint64_t hash_of(const Model& model) {
  uint64_t hash = 0;
  for (const WeightSpec& spec : weight_specs(model.config)) {
    const std::span<const float> values = model.weights->at(spec.name).as<float>();
    hash = XXH3_64bits_withSeed(values.data(), values.size_bytes(), hash);
  }
  return hash;
}

// The lines of a text that another does not have.
std::string lines_missing(const std::string& text, const std::string& other) {
  std::string missing;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size() - 1) + 1;
    const std::string line = text.substr(from, end - from);
    if (("\n" + other).find("\n" + line) == std::string::npos) missing += "  " + line;
    from = end;
  }
  return missing;
}

// Whether two recipes that differ in their steps alone have trained the same bits after `done` of them, and both have
// more to take: the rate must be the same at every step so far, which it is under wsd until it falls.
bool agree_so_far(const Recipe& a, const Recipe& b, int64_t done) {
  if (done >= std::min(a.steps, b.steps)) return false;
  for (int64_t step = 0; step < done; ++step) {
    if (learning_rate_at(a, step) != learning_rate_at(b, step) || seq_len_at(a, step) != seq_len_at(b, step))
      return false;
  }
  return true;
}

// The number of steps that a plan gives a stage; 0 if it does not say.
int64_t steps_in(const std::string& plan, const Stage& stage) {
  const std::string name = fmt::format("\n{} steps: ", stage.name);
  const size_t at = plan.find(name);
  if (at == std::string::npos) return 0;
  int64_t steps = 0;
  std::from_chars(plan.data() + at + name.size(), plan.data() + plan.size(), steps);
  return std::max<int64_t>(steps, 0);
}

// Throws Error when the checkpoint, which is at step `done` of stage `number`, belongs to another plan.
void check_plan(const Safetensors& checkpoint, const Model& model, std::vector<Stage> stages, size_t number,
                int64_t done) {
  const auto found = checkpoint.metadata().find(CheckpointNotes::kPlan);
  const std::string made_with = found == checkpoint.metadata().end() ? "" : found->second;
  const std::string plan = text_of(plan_of(model, stages));
  if (made_with == plan) return;
  if (number < stages.size()) {
    Stage& stage = stages[number];
    const Recipe given = stage.recipe;
    stage.recipe.steps = steps_in(made_with, stage);
    if (text_of(plan_of(model, stages)) == made_with && problems(stage.recipe, model.config.context).empty() &&
        agree_so_far(given, stage.recipe, done)) {
      return;
    }
  }
  throw Error(
      "{}: belongs to another run, made with\n{}expected\n{}remove it, or give the options that it was made with",
      checkpoint.path().string(), lines_missing(made_with, plan), lines_missing(plan, made_with));
}

// A note that is a number; `missing` if there is none. Throws Error if it is anything else.
double number_in(const Safetensors& checkpoint, const char* name, double missing) {
  const auto found = checkpoint.metadata().find(name);
  if (found == checkpoint.metadata().end()) return missing;
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value)) {
    throw Error("{}: {} is '{}' in its metadata, expected a number", checkpoint.path().string(), name, text);
  }
  return value;
}

}  // namespace

RunPlan plan_of(const Model& model, const std::vector<Stage>& stages) {
  const ModelConfig& c = model.config;
  const Lora& lora = c.lora;
  RunPlan plan = {
      {"model",
       fmt::format("{} layers of {}, {} heads, {} of keys, feed-forward {}{}, context {}, dropout {}", c.n_layers,
                   c.dim, c.n_heads, c.kv_heads(), c.ffn_dim, c.ffn_gated ? " gated" : "", c.context, c.dropout)},
      {"tokenizer", fmt::format("{} tokens, {:016x}", c.vocab_size, model.tokenizer->hash())},
      {"weights", fmt::format("{:016x}", hash_of(model))}};
  if (lora.rank > 0) {
    plan.emplace_back("lora",
                      fmt::format("rank {}, alpha {}, {}", lora.rank, lora.alpha, fmt::join(lora.targets, " ")));
  }
  for (const Stage& stage : stages) {
    for (const auto& [name, value] : settings(stage.recipe)) plan.emplace_back(stage.name + " " + name, value);
    plan.emplace_back(stage.name + " data", fmt::format("{:016x}", stage.train->hash()));
  }
  return plan;
}

std::string text_of(const RunPlan& plan) {
  std::string text;
  for (const auto& [name, value] : plan) text += fmt::format("{}: {}\n", name, value);
  return text;
}

CheckpointNotes read_notes(const Safetensors& checkpoint, int64_t number, const Model& model,
                           const std::vector<Stage>& stages) {
  const std::string path = checkpoint.path().string();
  const auto index = static_cast<size_t>(checkpoint.number(CheckpointNotes::kStage));
  const int64_t step = checkpoint.number(Trainer::kStepNote);
  check_plan(checkpoint, model, stages, index, step);
  if (index >= stages.size()) {
    throw Error("{}: stage {} of the run, expected less than {}", path, index, stages.size());
  }
  const int64_t steps = stages[index].recipe.steps;
  if (step > steps) throw Error("{}: step {} of {}, which has {}", path, step, stages[index].name, steps);
  int64_t before = 0;
  for (size_t i = 0; i < index; ++i) before += stages[i].recipe.steps;
  if (before + step != number) {
    throw Error("{}: is of step {}, expected {} by its name", path, before + step, number);
  }
  return {index, step, number_in(checkpoint, CheckpointNotes::kBest, std::numeric_limits<double>::infinity()),
          number_in(checkpoint, CheckpointNotes::kFirstLoss, 0)};
}

}  // namespace tinyllm
