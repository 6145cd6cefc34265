#include <tinyllm/train/run.h>

#include <tinyllm/train/checkpoints.h>
#include <tinyllm/train/guard.h>
#include <tinyllm/train/metrics.h>
#include <tinyllm/train/report_page.h>

#include <xxhash.h>

#include <chrono>
#include <cmath>

namespace tinyllm {
namespace {

using Clock = std::chrono::steady_clock;
using Settings = std::vector<std::pair<std::string, std::string>>;
constexpr const char* kStageNote = "stage";
constexpr const char* kPlanNote = "plan";
constexpr int64_t kHeldOutRows = 256;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

uint64_t hash_of(const Model& model) {
  uint64_t hash = 0;
  for (const WeightSpec& spec : weight_specs(model.config)) {
    const std::span<const float> values = model.weights->at(spec.name).as<float>();
    hash = XXH3_64bits_withSeed(values.data(), values.size_bytes(), hash);
  }
  return hash;
}

// All that decides what the run computes: a checkpoint is of these settings or of others.
Settings plan_of(const Model& model, const std::vector<Stage>& stages) {
  const Lora& lora = model.config.lora;
  Settings plan = {{"model", fmt::format("{:016x}", hash_of(model))}};
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

std::string text_of(const Settings& plan) {
  std::string text;
  for (const auto& [name, value] : plan) text += fmt::format("{}: {}\n", name, value);
  return text;
}

// The lines of a text that another has not.
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

// Throws Error when the checkpoint is of another plan.
void check_plan(const Safetensors& checkpoint, const std::string& plan) {
  const auto found = checkpoint.metadata().find(kPlanNote);
  const std::string made_with = found == checkpoint.metadata().end() ? "" : found->second;
  if (made_with == plan) return;
  throw Error(
      "{}: is of another run; it was made with\n{}expected\n{}remove it, or give the options that it was made with",
      checkpoint.path().string(), lines_missing(made_with, plan), lines_missing(plan, made_with));
}

int64_t tokens_of(const Recipe& recipe) { return recipe.batch_rows() * recipe.length; }

// The speed of the last steps, without what the first one costs, and a smoothed loss.
class Meter {
 public:
  explicit Meter(const Stage& stage) : stage_(stage) {}

  Progress add(int64_t step, const Trainer::Step& result, double seconds) {
    constexpr double kKeep = 0.98;
    const auto average = [&](double& value, double now) {
      value = seen_ == 0 ? now : kKeep * value + (1 - kKeep) * now;
    };
    if (result.is_finite()) average(loss_, static_cast<double>(result.loss));
    average(seconds_, seconds);
    ++seen_;
    const Recipe& r = stage_.recipe;
    return {&stage_,
            step,
            static_cast<float>(loss_),
            result.rate,
            result.grad_norm,
            static_cast<double>(tokens_of(r)) / seconds_,
            static_cast<double>(r.steps - step) * seconds_};
  }

 private:
  const Stage& stage_;
  double loss_ = 0;
  double seconds_ = 0;
  int64_t seen_ = 0;
};

// A run through its stages.
class Run {
 public:
  Run(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options)
      : model_(model), stages_(stages), pool_(pool), options_(options), checkpoints_(options.folder) {
    make_folder(options.folder);
    const Settings plan = plan_of(model, stages);
    plan_ = text_of(plan);
    restored_ = checkpoints_.newest([&](const std::string& what) { tell(what); });
    if (restored_) {
      check_plan(*restored_, plan_);
      first_ = static_cast<size_t>(restored_->number(kStageNote));
    } else if (!checkpoints_.is_empty()) {
      throw Error("{}: no checkpoint is whole: remove them to begin anew", options.folder.string());
    }
    std::optional<int64_t> done;
    if (restored_) done = steps_before(first_) + restored_->number(Trainer::kStepNote);
    log_.emplace(options.folder / kMetricsFile, done);
    log_->describe(plan);
  }

  bool train() {
    for (size_t i = first_; i < stages_.size(); ++i) {
      if (!train(i)) return false;
    }
    save_model(model_, options_.folder);
    checkpoints_.remove_all();
    report();
    return true;
  }

 private:
  int64_t steps_before(size_t stage) const {
    int64_t steps = 0;
    for (size_t i = 0; i < stage; ++i) steps += stages_[i].recipe.steps;
    return steps;
  }
  int64_t tokens_before(size_t stage) const {
    int64_t tokens = 0;
    for (size_t i = 0; i < stage; ++i) tokens += stages_[i].recipe.steps * tokens_of(stages_[i].recipe);
    return tokens;
  }

  void tell(const std::string& what) {
    if (options_.on_event) options_.on_event(what);
  }

  void save(size_t stage, const Trainer& trainer) {
    checkpoints_.add(steps_before(stage) + trainer.steps_done(), [&](const std::filesystem::path& path) {
      trainer.save(path, {{kPlanNote, plan_}, {kStageNote, std::to_string(stage)}});
    });
  }

  void report() { write_file(options_.folder / kReportFile, report_page(read_file(options_.folder / kMetricsFile))); }

  // Returns false when stopped.
  bool train(size_t i) {
    const Stage& stage = stages_[i];
    Trainer trainer(model_, stage.recipe, pool_);
    if (restored_) trainer.restore(*std::exchange(restored_, nullptr));
    Meter meter(stage);
    Clock::time_point saved = Clock::now();
    while (trainer.steps_done() < stage.recipe.steps) {
      if (options_.should_stop && options_.should_stop()) {
        save(i, trainer);
        save_model(model_, options_.folder);
        report();
        return false;
      }
      take_step(i, trainer, meter);
      if (seconds_since(saved) > options_.save_seconds) {
        save(i, trainer);
        saved = Clock::now();
      }
    }
    if (stage.recipe.average > 0 && stage.recipe.steps > 0) trainer.copy_average(*model_.weights);
    if (i + 1 < stages_.size()) save(i, trainer);
    evaluate(i);
    return true;
  }

  void take_step(size_t i, Trainer& trainer, Meter& meter) {
    const Stage& stage = stages_[i];
    const Clock::time_point start = Clock::now();
    const Batch batch = stage.train->batch(stage.recipe.batch_rows(), stage.recipe.seed, trainer.steps_done());
    const Trainer::Step result = trainer.step(batch);
    const Progress progress = meter.add(trainer.steps_done(), result, seconds_since(start));
    const int64_t step = steps_before(i) + trainer.steps_done();
    const int64_t tokens = tokens_before(i) + trainer.steps_done() * tokens_of(stage.recipe);
    const int64_t tokens_left = tokens_before(stages_.size()) - tokens;
    log_->add(step, {{"stage", stage.name},
                     {"loss", result.loss},
                     {"grad_norm", result.grad_norm},
                     {"rate", result.rate},
                     {"tokens", tokens},
                     {"tokens_per_second", progress.tokens_per_second},
                     {"seconds_left", static_cast<double>(tokens_left) / progress.tokens_per_second}});
    if (const auto event = guard_.add(step, result)) {
      log_->add(step, {{"event", *event}});
      tell(*event);
    }
    if (options_.on_step) options_.on_step(progress);
  }

  void evaluate(size_t i) {
    const Stage& stage = stages_[i];
    Evaluator evaluator(model_, stage.recipe.rows, stage.recipe.length, pool_);
    const double loss = evaluator.loss(*stage.held_out, kHeldOutRows);
    log_->add(steps_before(i + 1), {{"held_out_loss", loss}, {"perplexity", std::exp(loss)}});
    if (options_.on_stage) options_.on_stage(stage, loss);
  }

  Model& model_;
  const std::vector<Stage>& stages_;
  ThreadPool& pool_;
  const RunOptions& options_;
  Checkpoints checkpoints_;
  std::string plan_;
  std::unique_ptr<Safetensors> restored_;
  size_t first_ = 0;  // The stage that the run begins or goes on with.
  std::optional<MetricsLog> log_;
  Guard guard_;
};

}  // namespace

bool has_checkpoint(const std::filesystem::path& folder) { return !Checkpoints(folder).is_empty(); }

bool run_stages(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options) {
  return Run(model, stages, pool, options).train();
}

}  // namespace tinyllm
