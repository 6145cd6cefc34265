#include <tinyllm/train/run.h>

#include <tinyllm/train/checkpoints.h>
#include <tinyllm/train/guard.h>
#include <tinyllm/train/monitor/metrics.h>
#include <tinyllm/train/monitor/report_page.h>
#include <tinyllm/train/run_plan.h>

#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/file.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace tinyllm {
namespace {

constexpr int64_t kValidationTokens = 32768;
constexpr int64_t kSampleTokens = 64;

int64_t tokens_of(const Recipe& recipe) { return recipe.batch_rows() * recipe.seq_len; }

// Memory of this process in RAM; 0 if the system does not report it.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  return file >> all >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

// An exponential moving average over about fifty numbers.
class Smoothed {
 public:
  void add(double x) {
    sum_ = kKeep * sum_ + x;
    weight_ = kKeep * weight_ + 1;
  }
  bool is_empty() const { return weight_ == 0; }
  double value() const { return is_empty() ? 0 : sum_ / weight_; }

 private:
  static constexpr double kKeep = 0.98;
  double sum_ = 0;
  double weight_ = 0;
};

// Puts the moving average of the weights into the model, if the recipe has one, and the weights back at the end.
class EmaInUse {
 public:
  EmaInUse(Model& model, const Trainer& trainer, const Recipe& recipe) : model_(model) {
    if (recipe.ema_decay == 0 || trainer.steps_done() == 0) return;
    for (const WeightSpec& spec : trained_specs(model.config)) {
      const std::span<const float> values = model.weights->at(spec.name).as<float>();
      weights_.emplace_back(values.begin(), values.end());
    }
    trainer.copy_ema(*model.weights);
  }
  ~EmaInUse() {
    if (weights_.empty()) return;
    size_t i = 0;
    for (const WeightSpec& spec : trained_specs(model_.config)) {
      std::ranges::copy(weights_[i++], model_.weights->at(spec.name).as<float>().begin());
    }
  }
  EmaInUse(const EmaInUse&) = delete;
  EmaInUse& operator=(const EmaInUse&) = delete;

 private:
  Model& model_;
  std::vector<std::vector<float>> weights_;
};

// Throws Error if a model cannot continue a prompt, before the run begins and not at the first validation.
void check(const SamplePrompt& prompt, const ModelConfig& config) {
  const auto tokens = static_cast<int64_t>(prompt.tokens.size());
  if (tokens == 0 || tokens >= config.context) {
    throw Error("prompt \"{}\": {} tokens, expected 1 to {}", prompt.text, tokens, config.context - 1);
  }
}

// A run through its stages.
class Run {
 public:
  Run(Model& model, const std::vector<Stage>& stages, const ThreadPool& pool, const RunOptions& options)
      : model_(model), stages_(stages), pool_(pool), options_(options), checkpoints_(options.folder) {
    for (const SamplePrompt& prompt : options.prompts) check(prompt, model.config);
    if (options.lock == nullptr) lock_.emplace(options.folder, [&](const std::string& note) { report_event(note); });
    const RunPlan plan = plan_of(model, stages);
    plan_ = json_of(plan);
    if (auto found = checkpoints_.newest([&](const std::string& what) { report_event(what); })) {
      notes_ = read_notes(*found->file, found->number, model, stages);
      saved_ = found->number;
      restored_ = std::move(found->file);
    } else if (!checkpoints_.is_empty()) {
      throw Error("{}: no checkpoint is whole; remove them to begin again", options.folder.string());
    } else {
      remove_model(options.folder / kBestFolder);  // It belongs to an earlier run.
    }
    checkpoints_.remove_parts();
    remove_file(part_of(options.folder / kReportFile));
    if (!options.options.empty()) write_file(options.folder / kOptionsFile, options.options);
    log_.emplace(options.folder / kMetricsFile, saved_, [&](const std::string& what) { report_event(what); });
    RunPlan described = plan;
    described.emplace(described.begin(), "steps", std::to_string(steps_before(stages.size())));
    described.emplace(described.begin(), "name", absolute_path(options.folder).filename().string());
    log_->describe(described);
    if (!options.mix.empty()) log_->describe(options.mix);
  }

  bool train() {
    for (size_t i = notes_.stage; i < stages_.size(); ++i) {
      if (!train(i)) return false;
    }
    if (options_.finish) options_.finish(model_);
    expect_sound(broken_weight(model_), "not saved");
    save_model(model_, options_.folder);
    const std::filesystem::path best = options_.folder / kBestFolder;
    if (last_is_best_) remove_model(best);
    if (has_model(best)) {
      report_event(
          fmt::format("the validation loss was lower before: {:.4f}; that model is in {}", best_, best.string()));
    }
    checkpoints_.remove_all();
    write_report();
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

  void report_event(const std::string& what) {
    if (options_.on_event) options_.on_event(what);
  }

  // Why the model cannot answer, checked between two steps. None if it can.
  std::optional<std::string> fault() const {
    if (auto weight = broken_weight(model_)) return weight;
    return loss_.is_empty() ? std::nullopt : guard_->fault(loss_.value());
  }

  // Throws Error if there is a fault. The message says which model or checkpoint is still there.
  void expect_sound(const std::optional<std::string>& fault, const char* what_happened) const {
    if (!fault) return;
    const std::filesystem::path best = options_.folder / kBestFolder;
    std::string left = "nothing was saved before";
    if (has_model(best)) {
      left = fmt::format("the best model before is {}", best.string());
    } else if (saved_) {
      left = fmt::format("the last good checkpoint is of step {}", *saved_);
    }
    throw Error("{}: {}: the model cannot answer: {}; {}; a learning rate below {} may help", options_.folder.string(),
                what_happened, *fault, left, stages_.back().recipe.learning_rate);
  }

  void save(size_t stage, const Trainer& trainer) {
    const int64_t number = steps_before(stage) + trainer.steps_done();
    log_->sync();
    checkpoints_.add(number, [&](const std::filesystem::path& path) {
      trainer.save(path, {{CheckpointNotes::kPlan, plan_},
                          {CheckpointNotes::kStage, std::to_string(stage)},
                          {CheckpointNotes::kBest, fmt::format("{}", best_)},
                          {CheckpointNotes::kFirstLoss, fmt::format("{}", guard_->first_loss())}});
    });
    saved_ = number;
  }

  // Saves a checkpoint, unless the model is broken: it would replace a good one.
  void save_if_sound(size_t stage, const Trainer& trainer) {
    const auto found = fault();
    if (!found) return save(stage, trainer);
    report_event(fmt::format("no checkpoint of step {}: the model cannot answer: {}",
                             steps_before(stage) + trainer.steps_done(), *found));
  }

  void write_report() {
    write_file(options_.folder / kReportFile, report_page(MappedFile(options_.folder / kMetricsFile).text()));
  }

  // Trains one stage. Returns false when stopped.
  bool train(size_t i) {
    const Stage& stage = stages_[i];
    Trainer trainer(model_, stage.recipe, pool_, {.objective = stage.objective});
    best_ = std::numeric_limits<double>::infinity();
    validation_loss_ = 0;
    guard_.emplace(model_.config.vocab_size);
    if (restored_) restore(trainer);
    loss_ = seconds_ = {};
    std::optional<std::string> broken;  // What the last validation found.
    Clock::time_point saved = Clock::now();
    while (trainer.steps_done() < stage.recipe.steps) {
      if (options_.should_stop && options_.should_stop()) {
        expect_sound(fault(), "stopped, and not saved");
        save(i, trainer);
        save_model(model_, options_.folder);
        write_report();
        return false;
      }
      take_step(i, trainer);
      // Validates before the checkpoint of this step, so that a run resumed from it does not validate again.
      if (is_validated(stage, trainer.steps_done())) broken = validate(i, trainer);
      if (seconds_since(saved) > options_.save_seconds) {
        save_if_sound(i, trainer);
        saved = Clock::now();
      }
    }
    if (stage.recipe.ema_decay > 0 && stage.recipe.steps > 0) trainer.copy_ema(*model_.weights);
    expect_sound(broken, "not saved");
    if (i + 1 < stages_.size()) {
      expect_sound(broken_weight(model_), "not saved");
      save(i, trainer);
    }
    return true;
  }

  void restore(Trainer& trainer) {
    trainer.restore(*restored_);
    best_ = notes_.best;
    guard_.emplace(model_.config.vocab_size, notes_.first_loss);
    restored_ = nullptr;
  }

  void take_step(size_t i, Trainer& trainer) {
    const Stage& stage = stages_[i];
    const Recipe& recipe = stage.recipe;
    const Clock::time_point start = Clock::now();
    const int64_t done = trainer.steps_done();
    const int64_t number = steps_before(i) + done + 1;
    const Trainer::Step result = trainer.step(stage.train->batch(recipe.batch_rows(), recipe.seed, done));
    if (result.is_finite()) loss_.add(static_cast<double>(result.loss));
    seconds_.add(seconds_since(start));
    const int64_t seq_len = seq_len_at(recipe, done);
    const int64_t tokens = tokens_before(i) + (done + 1) * tokens_of(recipe);
    const double speed = static_cast<double>(tokens_of(recipe)) / seconds_.value();
    const double flops = step_flops(model_.config, tokens_of(recipe) / seq_len, seq_len);
    const StepReport report = {.stage = &stage,
                               .step = number,
                               .all_steps = steps_before(stages_.size()),
                               .loss = static_cast<float>(loss_.value()),
                               .learning_rate = result.learning_rate,
                               .grad_norm = result.grad_norm,
                               .validation_loss = validation_loss_,
                               .tokens_per_second = speed,
                               .fraction_of_peak = options_.peak > 0 ? flops / seconds_.value() / options_.peak : 0,
                               .resident_bytes = resident_bytes(),
                               .seconds_left = static_cast<double>(tokens_before(stages_.size()) - tokens) / speed};
    log(result, report, seq_len, tokens);
    if (auto event = guard_->add(number, result)) {
      if (!result.is_finite()) *event += "; " + names(stage, done);
      log_->add(number, {{"event", *event}});
      report_event(*event);
    }
    if (options_.on_step) options_.on_step(report);
  }

  void log(const Trainer::Step& result, const StepReport& report, int64_t seq_len, int64_t tokens) {
    std::vector<Metric> line = {{"stage", report.stage->name},
                                {"loss", result.loss},
                                {"grad_norm", result.grad_norm},
                                {"lr", result.learning_rate},
                                {"seq_len", seq_len},
                                {"tokens", tokens},
                                {"tokens_per_second", report.tokens_per_second}};
    if (report.fraction_of_peak > 0) line.emplace_back("fraction_of_peak", report.fraction_of_peak);
    if (report.resident_bytes > 0) line.emplace_back("resident_bytes", report.resident_bytes);
    line.emplace_back("seconds_left", report.seconds_left);
    log_->add(report.step, line);
  }

  // Names the rows of a step's batch.
  static std::string names(const Stage& stage, int64_t step) {
    constexpr size_t kMost = 20;
    std::vector<std::string> all = stage.train->names(stage.recipe.batch_rows(), stage.recipe.seed, step);
    const size_t more = all.size() - std::min(all.size(), kMost);
    all.resize(all.size() - more);
    return fmt::format("its batch: {}{}", fmt::join(all, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
  }

  bool is_validated(const Stage& stage, int64_t step) const {
    return step == stage.recipe.steps || (options_.validate_every > 0 && step % options_.validate_every == 0);
  }

  // Returns why the model cannot answer. None if it can.
  std::optional<std::string> validate(size_t i, const Trainer& trainer) {
    const Stage& stage = stages_[i];
    const Recipe& recipe = stage.recipe;
    const EmaInUse ema(model_, trainer, recipe);
    const int64_t step = steps_before(i) + trainer.steps_done();
    const int64_t rows = std::max(recipe.batch_size, kValidationTokens / recipe.seq_len);
    const Evaluation result =
        Evaluator(model_, recipe.batch_size, recipe.seq_len, pool_, stage.measure()).evaluate(*stage.validation, rows);
    std::optional<std::string> broken = guard_->fault(result.loss);
    if (!broken) broken = broken_weight(model_);
    const bool is_last = trainer.steps_done() == recipe.steps;
    Validation v = {&stage, trainer.steps_done(), result, !broken && result.loss < best_, is_last, {}};
    validation_loss_ = result.loss;
    last_is_best_ = v.is_best && is_last;
    std::vector<Metric> line = {{"stage", stage.name},
                                {"validation_loss", result.loss},
                                {"perplexity", result.perplexity()},
                                {"bits_per_byte", result.bits_per_byte()}};
    if (v.is_best) line.emplace_back("best", true);
    log_->add(step, line);
    if (!broken) v.samples = samples();
    for (const SampleText& sample : v.samples) log_->add(step, {{"prompt", sample.prompt}, {"sample", sample.text}});
    if (v.is_best) {
      best_ = result.loss;
      // The last model is saved in the folder itself.
      if (i + 1 == stages_.size() && !is_last) save_model(model_, options_.folder / kBestFolder);
    }
    if (options_.on_validation) options_.on_validation(v);
    return broken;
  }

  std::vector<SampleText> samples() {
    if (options_.prompts.empty()) return {};
    std::vector<Request> requests;
    size_t longest = 0;
    for (const SamplePrompt& prompt : options_.prompts) {
      longest = std::max(longest, prompt.tokens.size());
      requests.push_back({prompt.tokens, {.max_tokens = kSampleTokens, .sampling = {.temperature = 0.7f, .seed = 1}}});
    }
    // The context of the model may be far longer, and so would be the cache.
    const int64_t context = std::min(model_.config.context, static_cast<int64_t>(longest) + kSampleTokens);
    Session session(model_, {.sequences = std::ssize(options_.prompts), .context = context, .pool = pool_});
    const std::vector<Completion> answers = generate(session, requests);
    std::vector<SampleText> all;
    for (size_t i = 0; i < answers.size(); ++i) all.push_back({options_.prompts[i].text, answers[i].text});
    return all;
  }

  Model& model_;
  const std::vector<Stage>& stages_;
  ThreadPool pool_;
  const RunOptions& options_;
  std::optional<FolderLock> lock_;
  Checkpoints checkpoints_;
  std::string plan_;
  CheckpointNotes notes_ = {};  // Where the run starts or resumes.
  std::unique_ptr<Safetensors> restored_;
  std::optional<int64_t> saved_;  // The step of the newest checkpoint.
  std::optional<MetricsLog> log_;
  std::optional<Guard> guard_;
  Smoothed loss_, seconds_;
  double best_ = 0;  // The lowest validation loss of the stage.
  bool last_is_best_ = false;
  double validation_loss_ = 0;
};

}  // namespace

bool has_checkpoint(const std::filesystem::path& folder) { return !Checkpoints(folder).is_empty(); }

bool run_stages(Model& model, const std::vector<Stage>& stages, const ThreadPool& pool, const RunOptions& options) {
  return Run(model, stages, pool, options).train();
}

}  // namespace tinyllm
