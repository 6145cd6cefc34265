#include <tinyllm/train/run_plan.h>

#include <tinyllm/model/config_fields.h>
#include <tinyllm/tensor/base/json.h>

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace tinyllm {
namespace {

using Settings = std::map<std::string, std::string>;

Settings settings_of(const Model& model, const std::vector<Stage>& stages) {
  const RunPlan plan = plan_of(model, stages);
  return {plan.begin(), plan.end()};
}

// The plan that a checkpoint was made with; empty if it does not say. Throws Error when the note is not a plan.
Settings read_plan(const Safetensors& checkpoint) {
  const auto found = checkpoint.metadata().find(CheckpointNotes::kPlan);
  if (found == checkpoint.metadata().end()) return {};
  const std::string where = fmt::format("{}: {}", checkpoint.path().string(), CheckpointNotes::kPlan);
  const Json json = parse_json(found->second, where);
  Settings settings;
  for (const auto& [name, value] : json.items()) {
    if (!json.is_object() || !value.is_string()) throw Error("{}: expected an object of strings", where);
    settings[name] = value.get<std::string>();
  }
  return settings;
}

// "batch_size is 8, was 16; ..."
std::string differences(const Settings& now, const Settings& before) {
  constexpr size_t kMost = 10;
  std::set<std::string> names;
  for (const Settings& each : {now, before}) {
    for (const auto& [name, value] : each) names.insert(name);
  }
  const auto value_in = [](const Settings& settings, const std::string& name) {
    const auto found = settings.find(name);
    return found == settings.end() ? "not set" : short_name(found->second);
  };
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const std::string is = value_in(now, name), was = value_in(before, name);
    if (is != was) found.push_back(fmt::format("{} is {}, was {}", short_name(name), is, was));
  }
  const size_t more = found.size() - std::min(found.size(), kMost);
  found.resize(found.size() - more);
  return fmt::format("{}{}", fmt::join(found, "; "), more > 0 ? fmt::format("; and {} more", more) : "");
}

// Whether two recipes that differ only in their number of steps agree on the first `done` steps, and both have more to
// take. The learning rate must be the same at each of these steps. Under wsd this holds until it falls.
bool agree_so_far(const Recipe& a, const Recipe& b, int64_t done) {
  if (done >= std::min(a.steps, b.steps)) return false;
  for (int64_t step = 0; step < done; ++step) {
    if (learning_rate_at(a, step) != learning_rate_at(b, step) || seq_len_at(a, step) != seq_len_at(b, step))
      return false;
  }
  return true;
}

// The number of steps that a plan gives a stage; 0 if it does not say.
int64_t steps_in(const Settings& plan, const Stage& stage) {
  const auto found = plan.find(stage.name + " steps");
  if (found == plan.end()) return 0;
  int64_t steps = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), steps);
  return std::max<int64_t>(steps, 0);
}

// Throws Error when the checkpoint, which is at step `done` of stage `number`, belongs to another plan.
void check_plan(const Safetensors& checkpoint, const Model& model, std::vector<Stage> stages, size_t number,
                int64_t done) {
  const Settings made_with = read_plan(checkpoint);
  const Settings plan = settings_of(model, stages);
  if (made_with == plan) return;
  if (number < stages.size()) {
    Stage& stage = stages[number];
    const Recipe given = stage.recipe;
    stage.recipe.steps = steps_in(made_with, stage);
    if (settings_of(model, stages) == made_with && problems_of(stage.recipe, model.config.context).empty() &&
        agree_so_far(given, stage.recipe, done)) {
      return;
    }
  }
  throw Error("{}: belongs to another run: {}; remove it, or give the options that it was made with",
              checkpoint.path().string(), differences(plan, made_with));
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

uint64_t weights_hash(const Model& model) {
  uint64_t hash = 0;
  for (const WeightSpec& spec : weight_specs(model.config)) {
    const Store::Entry& entry = model.weights->at(spec.name);
    hash = XXH3_64bits_withSeed(entry.data, entry.bytes(), hash);
  }
  return hash;
}

RunPlan plan_of(const Model& model, const std::vector<Stage>& stages) {
  const Lora& lora = model.config.lora;
  RunPlan plan;
  const auto add = [&](const auto& field) {
    plan.emplace_back(field.name, fmt::format("{}", model.config.*field.member));
  };
  for_each_field(kConfigFields, add);
  for_each_field(kOptionalConfigFields, add);
  plan.emplace_back("hidden_act", name_of(model.config.ffn));
  plan.emplace_back("tokenizer", fmt::format("{:016x}", model.tokenizer->hash()));
  plan.emplace_back("weights", fmt::format("{:016x}", weights_hash(model)));
  if (lora.rank > 0) {
    for_each_field(kLoraFields, [&]<class T>(const Field<Lora, T>& field) {
      const std::string name = fmt::format("lora {}", field.name);
      if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        plan.emplace_back(name, fmt::format("{}", fmt::join(lora.*field.member, " ")));
      } else {
        plan.emplace_back(name, fmt::format("{}", lora.*field.member));
      }
    });
    for (const auto& [module, size] : lora.modules) {
      plan.emplace_back("lora " + module, fmt::format("rank {}, scale {}", size.rank, size.scale));
    }
  }
  for (const Stage& stage : stages) {
    for (const auto& [name, value] : settings(stage.recipe)) plan.emplace_back(stage.name + " " + name, value);
    if (!stage.objective.name.empty()) plan.emplace_back(stage.name + " objective", stage.objective.name);
    plan.emplace_back(stage.name + " data", fmt::format("{:016x}", stage.train->hash()));
  }
  return plan;
}

std::string json_of(const RunPlan& plan) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : plan) json[name] = value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
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
