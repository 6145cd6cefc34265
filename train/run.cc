#include <tinyllm/train/run.h>

#include <tinyllm/model/safetensors.h>

#include <chrono>

namespace tinyllm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* kCheckpointFile = "checkpoint.safetensors";
constexpr const char* kStageNote = "stage";
constexpr const char* kPlanNote = "plan";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// All that decides what the run computes; a checkpoint is of this plan or of another.
std::string plan_of(const std::vector<Stage>& stages) {
  std::string plan;
  for (const Stage& stage : stages) {
    const Recipe& r = stage.recipe;
    plan += fmt::format(
        "{}: {} steps of {}x{}x{} in {}, rate {} to {} after {}, clip {}, beta2 {}, decay {}, seed {}, data {:016x}\n",
        stage.name, r.steps, r.accumulate, r.rows, r.length, name_of(r.precision), r.rate, r.final_rate, r.warmup,
        r.clip, r.beta2, r.decay, r.seed, stage.train->hash());
  }
  return plan;
}

// Where a run goes on.
struct Place {
  size_t stage = 0;
  std::unique_ptr<Safetensors> checkpoint;
};
Place find_place(const RunOptions& options, const std::string& plan) {
  if (!has_checkpoint(options.folder)) return {};
  auto checkpoint = std::make_unique<Safetensors>(options.folder / kCheckpointFile);
  const auto note = [&](const char* name) {
    const auto found = checkpoint->metadata().find(name);
    return found == checkpoint->metadata().end() ? std::string() : found->second;
  };
  if (note(kPlanNote) != plan) {
    throw Error("{}: is of another run:\n{}expected\n{}remove it, or give the options that it was made with",
                checkpoint->path().string(), note(kPlanNote), plan);
  }
  return {static_cast<size_t>(checkpoint->number(kStageNote)), std::move(checkpoint)};
}

// The speed of the last steps, without what the first one costs, and a smoothed loss.
class Meter {
 public:
  explicit Meter(const Stage& stage) : stage_(stage) {}

  Progress add(int64_t step, const Trainer::Step& result, double seconds) {
    constexpr double kKeep = 0.98;
    const auto average = [&](double& value, double now) {
      value = seen_ == 0 ? now : kKeep * value + (1 - kKeep) * now;
    };
    average(loss_, static_cast<double>(result.loss));
    average(seconds_, seconds);
    ++seen_;
    const Recipe& r = stage_.recipe;
    return {&stage_,
            step,
            static_cast<float>(loss_),
            result.rate,
            result.grad_norm,
            static_cast<double>(r.batch_rows() * r.length) / seconds_,
            static_cast<double>(r.steps - step) * seconds_};
  }

 private:
  const Stage& stage_;
  double loss_ = 0;
  double seconds_ = 0;
  int64_t seen_ = 0;
};

}  // namespace

bool has_checkpoint(const std::filesystem::path& folder) { return std::filesystem::exists(folder / kCheckpointFile); }

bool run_stages(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options) {
  constexpr int64_t kHeldOutRows = 256;
  make_folder(options.folder);
  const std::string plan = plan_of(stages);
  const Place place = find_place(options, plan);
  for (size_t i = place.stage; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    Trainer trainer(model, stage.recipe, pool);
    if (i == place.stage && place.checkpoint) trainer.restore(*place.checkpoint);
    const auto save = [&] {
      trainer.save(options.folder / kCheckpointFile, {{kPlanNote, plan}, {kStageNote, std::to_string(i)}});
    };
    Meter meter(stage);
    Clock::time_point saved = Clock::now();
    while (trainer.steps_done() < stage.recipe.steps) {
      if (options.should_stop && options.should_stop()) {
        save();
        save_model(model, options.folder);
        return false;
      }
      const Clock::time_point start = Clock::now();
      const Batch batch = stage.train->batch(stage.recipe.batch_rows(), stage.recipe.seed, trainer.steps_done());
      const Trainer::Step step = trainer.step(batch);
      if (options.on_step) options.on_step(meter.add(trainer.steps_done(), step, seconds_since(start)));
      if (seconds_since(saved) > options.save_seconds) {
        save();
        saved = Clock::now();
      }
    }
    if (i + 1 < stages.size()) save();
    if (options.on_stage) {
      Evaluator evaluator(model, stage.recipe.rows, stage.recipe.length, pool);
      options.on_stage(stage, evaluator.loss(*stage.held_out, kHeldOutRows));
    }
  }
  save_model(model, options.folder);
  std::filesystem::remove(options.folder / kCheckpointFile);
  return true;
}

}  // namespace tinyllm
