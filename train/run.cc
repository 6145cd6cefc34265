#include <tinyllm/train/run.h>

#include <tinyllm/train/checkpoints.h>
#include <tinyllm/train/guard.h>
#include <tinyllm/train/monitor/metrics.h>
#include <tinyllm/train/monitor/report_page.h>

#include <tinyllm/runtime/generate.h>

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace tinyllm {
namespace {

using Clock = std::chrono::steady_clock;
using Settings = std::vector<std::pair<std::string, std::string>>;
constexpr const char* kStageNote = "stage";
constexpr const char* kPlanNote = "plan";
constexpr const char* kBestNote = "best";
constexpr int64_t kHeldOutTokens = 32768;
constexpr int64_t kSampleTokens = 64;

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
  const ModelConfig& c = model.config;
  const Lora& lora = c.lora;
  Settings plan = {
      {"model",
       fmt::format("{} layers of {}, {} heads, {} of keys, feed-forward {}{}, context {}, dropout {}", c.n_layers,
                   c.dim, c.n_heads, c.kv_heads(), c.ffn_dim, c.ffn_gated ? " gated" : "", c.context, c.dropout)},
      {"tokenizer", fmt::format("{} tokens, {:016x}", c.vocab_size, model.tokenizer.hash())},
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

// Whether two recipes that differ in their steps alone have trained the same bits after `done` of them, and both have
// more to take: as long as the rate is the same at every step, under wsd until it goes down.
bool agree_so_far(const Recipe& a, const Recipe& b, int64_t done) {
  for (int64_t step = 0; step < done; ++step) {
    if (rate_at(a, step) != rate_at(b, step) || length_at(a, step) != length_at(b, step)) return false;
  }
  return done < std::min(a.steps, b.steps);
}

// The number of steps that a plan gives a stage; 0 where it does not say.
int64_t steps_in(const std::string& plan, const Stage& stage) {
  const std::string name = fmt::format("\n{} steps: ", stage.name);
  const size_t at = plan.find(name);
  return at == std::string::npos ? 0 : std::strtoll(plan.c_str() + at + name.size(), nullptr, 10);
}

// Throws Error when the checkpoint is of another plan. The stage that it is in may have been given another number of
// steps, where this makes no difference to those that are done.
void check_plan(const Safetensors& checkpoint, const Model& model, std::vector<Stage> stages) {
  const auto found = checkpoint.metadata().find(kPlanNote);
  const std::string made_with = found == checkpoint.metadata().end() ? "" : found->second;
  const std::string plan = text_of(plan_of(model, stages));
  if (made_with == plan) return;
  const auto number = static_cast<size_t>(checkpoint.number(kStageNote));
  if (number < stages.size()) {
    Stage& stage = stages[number];
    const Recipe given = stage.recipe;
    stage.recipe.steps = steps_in(made_with, stage);
    if (text_of(plan_of(model, stages)) == made_with &&
        agree_so_far(given, stage.recipe, checkpoint.number(Trainer::kStepNote))) {
      return;
    }
  }
  throw Error(
      "{}: is of another run; it was made with\n{}expected\n{}remove it, or give the options that it was made with",
      checkpoint.path().string(), lines_missing(made_with, plan), lines_missing(plan, made_with));
}

int64_t tokens_of(const Recipe& recipe) { return recipe.batch_rows() * recipe.length; }

// Of this process; 0 where the system does not tell.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  return file >> all >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

// An average that forgets: over about fifty numbers.
class Smoothed {
 public:
  void add(double x) {
    sum_ = kKeep * sum_ + x;
    weight_ = kKeep * weight_ + 1;
  }
  double value() const { return weight_ == 0 ? 0 : sum_ / weight_; }

 private:
  static constexpr double kKeep = 0.98;
  double sum_ = 0;
  double weight_ = 0;
};

// While one lives, a model has the average of its weights over the steps, where the recipe has one.
class AverageInUse {
 public:
  AverageInUse(Model& model, const Trainer& trainer, const Recipe& recipe) : model_(model) {
    if (recipe.average == 0 || trainer.steps_done() == 0) return;
    for (const WeightSpec& spec : trained_specs(model.config)) {
      const std::span<const float> values = model.weights->at(spec.name).as<float>();
      weights_.emplace_back(values.begin(), values.end());
    }
    trainer.copy_average(*model.weights);
  }
  ~AverageInUse() {
    if (weights_.empty()) return;
    size_t i = 0;
    for (const WeightSpec& spec : trained_specs(model_.config)) {
      std::ranges::copy(weights_[i++], model_.weights->at(spec.name).as<float>().begin());
    }
  }
  AverageInUse(const AverageInUse&) = delete;
  AverageInUse& operator=(const AverageInUse&) = delete;

 private:
  Model& model_;
  std::vector<std::vector<float>> weights_;
};

// Throws Error when a model could not go on from a prompt: it would only be told at the first validation.
void check(const SamplePrompt& prompt, const ModelConfig& config) {
  const auto tokens = static_cast<int64_t>(prompt.tokens.size());
  if (tokens == 0 || tokens >= config.context) {
    throw Error("prompt \"{}\": {} tokens, expected 1 to {}", prompt.text, tokens, config.context - 1);
  }
}

// A run through its stages.
class Run {
 public:
  Run(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options)
      : model_(model), stages_(stages), pool_(pool), options_(options), checkpoints_(options.folder) {
    for (const SamplePrompt& prompt : options.prompts) check(prompt, model.config);
    make_folder(options.folder);
    const Settings plan = plan_of(model, stages);
    plan_ = text_of(plan);
    restored_ = checkpoints_.newest([&](const std::string& what) { tell(what); });
    if (restored_) {
      check_plan(*restored_, model, stages);
      first_ = static_cast<size_t>(restored_->number(kStageNote));
    } else if (!checkpoints_.is_empty()) {
      throw Error("{}: no checkpoint is whole: remove them to begin anew", options.folder.string());
    }
    if (!restored_) remove_model(options.folder / kBestFolder);  // Of a run before.
    if (!options.options.empty()) write_file(options.folder / kOptionsFile, options.options);
    std::optional<int64_t> done;
    if (restored_) done = steps_before(first_) + restored_->number(Trainer::kStepNote);
    log_.emplace(options.folder / kMetricsFile, done, [&](const std::string& what) { tell(what); });
    std::error_code none;  // A report that a killed run was writing.
    std::filesystem::remove(part_of(options.folder / kReportFile), none);
    Settings described = plan;
    described.emplace(described.begin(), "steps", std::to_string(steps_before(stages.size())));
    described.emplace(described.begin(), "name", std::filesystem::absolute(options.folder).filename().string());
    log_->describe(described);
    if (!options.mix.empty()) log_->describe(options.mix);
  }

  bool train() {
    for (size_t i = first_; i < stages_.size(); ++i) {
      if (!train(i)) return false;
    }
    if (options_.finish) options_.finish(model_);
    save_model(model_, options_.folder);
    const std::filesystem::path best = options_.folder / kBestFolder;
    if (last_is_best_) remove_model(best);
    if (std::filesystem::exists(best / kWeightsFile)) {
      tell(fmt::format("the held-out loss was lower before, {:.4f}; the model of then is {}", best_, best.string()));
    }
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
    log_->sync();
    checkpoints_.add(steps_before(stage) + trainer.steps_done(), [&](const std::filesystem::path& path) {
      trainer.save(path,
                   {{kPlanNote, plan_}, {kStageNote, std::to_string(stage)}, {kBestNote, fmt::format("{}", best_)}});
    });
  }

  void report() {
    write_file(options_.folder / kReportFile, report_page(MappedFile(options_.folder / kMetricsFile).text()));
  }

  // Returns false when stopped.
  bool train(size_t i) {
    const Stage& stage = stages_[i];
    Trainer trainer(model_, stage.recipe, pool_);
    best_ = std::numeric_limits<double>::infinity();
    held_out_loss_ = 0;
    if (restored_) restore(trainer);
    loss_ = seconds_ = {};
    guard_ = {};
    Clock::time_point saved = Clock::now();
    while (trainer.steps_done() < stage.recipe.steps) {
      if (options_.should_stop && options_.should_stop()) {
        save(i, trainer);
        save_model(model_, options_.folder);
        report();
        return false;
      }
      take_step(i, trainer);
      // Before a checkpoint of this step, so that a run which goes on from it does not validate again.
      if (is_validated(stage, trainer.steps_done())) validate(i, trainer);
      if (seconds_since(saved) > options_.save_seconds) {
        save(i, trainer);
        saved = Clock::now();
      }
    }
    if (stage.recipe.average > 0 && stage.recipe.steps > 0) trainer.copy_average(*model_.weights);
    if (i + 1 < stages_.size()) save(i, trainer);
    return true;
  }

  void restore(Trainer& trainer) {
    trainer.restore(*restored_);
    const auto best = restored_->metadata().find(kBestNote);
    if (best != restored_->metadata().end()) best_ = std::strtod(best->second.c_str(), nullptr);
    restored_ = nullptr;
  }

  void take_step(size_t i, Trainer& trainer) {
    const Stage& stage = stages_[i];
    const Recipe& recipe = stage.recipe;
    const Clock::time_point start = Clock::now();
    const int64_t number = trainer.steps_done();
    const Trainer::Step result = trainer.step(stage.train->batch(recipe.batch_rows(), recipe.seed, number));
    if (result.is_finite()) loss_.add(static_cast<double>(result.loss));
    seconds_.add(seconds_since(start));
    const int64_t length = length_at(recipe, number);
    const double flops = step_flops(model_.config, tokens_of(recipe) / length, length);
    const Progress progress = {.stage = &stage,
                               .step = number + 1,
                               .loss = static_cast<float>(loss_.value()),
                               .rate = result.rate,
                               .grad_norm = result.grad_norm,
                               .held_out_loss = held_out_loss_,
                               .tokens_per_second = static_cast<double>(tokens_of(recipe)) / seconds_.value(),
                               .fraction_of_peak = options_.peak > 0 ? flops / seconds_.value() / options_.peak : 0,
                               .resident_bytes = resident_bytes(),
                               .seconds_left = static_cast<double>(recipe.steps - number - 1) * seconds_.value()};
    log(i, result, progress, length);
    if (auto event = guard_.add(steps_before(i) + number + 1, result)) {
      if (!result.is_finite()) *event += "; " + names(stage, number);
      log_->add(steps_before(i) + number + 1, {{"event", *event}});
      tell(*event);
    }
    if (options_.on_step) options_.on_step(progress);
  }

  void log(size_t i, const Trainer::Step& result, const Progress& progress, int64_t length) {
    const int64_t tokens = tokens_before(i) + progress.step * tokens_of(stages_[i].recipe);
    const auto tokens_left = static_cast<double>(tokens_before(stages_.size()) - tokens);
    std::vector<Metric> line = {{"stage", stages_[i].name},
                                {"loss", result.loss},
                                {"grad_norm", result.grad_norm},
                                {"rate", result.rate},
                                {"length", length},
                                {"tokens", tokens},
                                {"tokens_per_second", progress.tokens_per_second}};
    if (progress.fraction_of_peak > 0) line.emplace_back("fraction_of_peak", progress.fraction_of_peak);
    if (progress.resident_bytes > 0) line.emplace_back("resident_bytes", progress.resident_bytes);
    line.emplace_back("seconds_left", tokens_left / progress.tokens_per_second);
    log_->add(steps_before(i) + progress.step, line);
  }

  // The batch of a step.
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

  void validate(size_t i, const Trainer& trainer) {
    const Stage& stage = stages_[i];
    const Recipe& recipe = stage.recipe;
    const AverageInUse average(model_, trainer, recipe);
    const int64_t step = steps_before(i) + trainer.steps_done();
    const Evaluation result = Evaluator(model_, recipe.rows, recipe.length, pool_)
                                  .evaluate(*stage.held_out, std::max(recipe.rows, kHeldOutTokens / recipe.length));
    const bool is_last = trainer.steps_done() == recipe.steps;
    Validation v = {&stage, trainer.steps_done(), result, result.loss < best_, is_last, {}};
    held_out_loss_ = result.loss;
    last_is_best_ = v.is_best && is_last;
    std::vector<Metric> line = {{"stage", stage.name},
                                {"held_out_loss", result.loss},
                                {"perplexity", result.perplexity()},
                                {"bits_per_byte", result.bits_per_byte()}};
    if (v.is_best) line.emplace_back("best", true);
    log_->add(step, line);
    if (std::isfinite(result.loss)) v.samples = samples();
    for (const SampleText& sample : v.samples) log_->add(step, {{"prompt", sample.prompt}, {"sample", sample.text}});
    if (v.is_best) {
      best_ = result.loss;
      // The last model is in the folder itself.
      if (i + 1 == stages_.size() && !is_last) save_model(model_, options_.folder / kBestFolder);
    }
    if (options_.on_validation) options_.on_validation(v);
  }

  std::vector<SampleText> samples() {
    if (options_.prompts.empty()) return {};
    Session session(model_, {.sequences = static_cast<int64_t>(options_.prompts.size()), .threads = pool_.threads()});
    std::vector<Request> requests;
    for (const SamplePrompt& prompt : options_.prompts) {
      requests.push_back({prompt.tokens, {.max_tokens = kSampleTokens, .sampling = {.temperature = 0.7f, .seed = 1}}});
    }
    const std::vector<Answer> answers = generate(session, requests);
    std::vector<SampleText> all;
    for (size_t i = 0; i < answers.size(); ++i) all.push_back({options_.prompts[i].text, answers[i].text});
    return all;
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
  Smoothed loss_, seconds_;
  double best_ = 0;  // The lowest held-out loss of the stage.
  bool last_is_best_ = false;
  double held_out_loss_ = 0;
};

}  // namespace

bool has_checkpoint(const std::filesystem::path& folder) { return !Checkpoints(folder).is_empty(); }

bool run_stages(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options) {
  return Run(model, stages, pool, options).train();
}

}  // namespace tinyllm
