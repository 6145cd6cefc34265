#include <tinyllm/train/recipe.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

// The fraction of the way from the final to the highest rate that is left after the fraction `done` of the steps that
// follow the warm-up.
double remaining(const Recipe& r, double done) {
  switch (r.schedule) {
    case Schedule::cosine:
      return 0.5 * (1 + std::cos(std::numbers::pi * done));
    case Schedule::linear:
      return 1 - done;
    case Schedule::wsd:
      return std::min(1.0, (1 - done) / static_cast<double>(r.cooldown));
  }
  return 0;
}

}  // namespace

const char* name_of(Optimizer optimizer) { return optimizer == Optimizer::adamw ? "adamw" : "muon"; }

const char* name_of(Schedule schedule) {
  switch (schedule) {
    case Schedule::cosine:
      return "cosine";
    case Schedule::linear:
      return "linear";
    case Schedule::wsd:
      return "wsd";
  }
  return "";
}

float learning_rate_at(const Recipe& r, int64_t step) {
  if (step < r.warmup) return r.learning_rate * static_cast<float>(step + 1) / static_cast<float>(r.warmup);
  const double total = static_cast<double>(std::max<int64_t>(1, r.steps - r.warmup));
  const double done = std::min(1.0, static_cast<double>(step - r.warmup) / total);
  const double last = static_cast<double>(r.final_lr_fraction);
  return static_cast<float>(static_cast<double>(r.learning_rate) * (last + (1 - last) * remaining(r, done)));
}

int64_t seq_len_at(const Recipe& r, int64_t step) {
  const bool is_first = static_cast<double>(step) < static_cast<double>(r.lengthen_at) * static_cast<double>(r.steps);
  return r.first_seq_len > 0 && is_first ? r.first_seq_len : r.seq_len;
}

std::vector<RecipeProblem> problems(const Recipe& r, int64_t context) {
  // With these, no product of steps, rows and tokens overflows, and a step's number fits an i32.
  constexpr int64_t kMaxSteps = int64_t{1} << 31;
  constexpr int64_t kMaxTokens = int64_t{1} << 30;
  std::vector<RecipeProblem> all;
  const auto expect = [&](bool is_right, const char* field, auto value, const std::string& expected) {
    if (!is_right) all.push_back({field, fmt::format("{}, expected {}", value, expected)});
  };
  const auto expect_between = [&](const char* field, auto value, auto least, auto most) {
    expect(value >= least && value <= most, field, value, fmt::format("{} to {}", least, most));
  };
  const auto expect_fraction = [&](const char* field, float value, const char* expected) {
    expect(value >= 0 && value < 1, field, value, expected);
  };
  expect_between("batch_size", r.batch_size, int64_t{1}, kMaxTokens);
  expect_between("accumulate", r.accumulate, int64_t{1}, kMaxTokens);
  expect_between("seq_len", r.seq_len, int64_t{1}, context);
  const bool divides = r.first_seq_len > 0 && r.first_seq_len < r.seq_len && r.seq_len % r.first_seq_len == 0;
  expect(r.first_seq_len == 0 || divides, "first_seq_len", r.first_seq_len,
         fmt::format("0, or a divisor of {} below it", r.seq_len));
  expect(r.lengthen_at >= 0 && r.lengthen_at <= 1, "lengthen_at", r.lengthen_at, "0 to 1 (a fraction of the steps)");
  expect_between("steps", r.steps, int64_t{0}, kMaxSteps);
  expect_between("warmup", r.warmup, int64_t{0}, kMaxSteps);
  expect(r.learning_rate > 0 && std::isfinite(r.learning_rate), "learning_rate", r.learning_rate, "a number above 0");
  expect(r.final_lr_fraction >= 0 && r.final_lr_fraction <= 1, "final_lr_fraction", r.final_lr_fraction,
         "0 to 1 (a fraction of the highest rate)");
  expect(r.cooldown > 0 && r.cooldown <= 1, "cooldown", r.cooldown, "above 0, at most 1 (a fraction of the steps)");
  expect(r.max_grad_norm > 0, "max_grad_norm", r.max_grad_norm, "a number above 0");
  expect_fraction("beta2", r.beta2, "0 or more, below 1");
  expect_fraction("momentum", r.momentum, "0 or more, below 1");
  expect(r.weight_decay >= 0 && std::isfinite(r.weight_decay), "weight_decay", r.weight_decay, "0 or more");
  expect(r.z_loss >= 0 && std::isfinite(r.z_loss), "z_loss", r.z_loss, "0 or more");
  expect_fraction("ema_decay", r.ema_decay, "0 or more, below 1");
  if (!all.empty()) return all;
  expect(r.batch_size <= kMaxTokens / r.accumulate / r.seq_len, "batch_size", r.batch_size,
         fmt::format("at most {} tokens in a step", kMaxTokens));
  expect(r.steps <= (kMaxSteps - 1) / r.accumulate, "steps", r.steps,
         fmt::format("at most {} with {} batches in a step", (kMaxSteps - 1) / r.accumulate, r.accumulate));
  return all;
}

void check(const Recipe& recipe, const ModelConfig& config) {
  if (config.types.quantized()) throw Error("training: the model is quantised, expected one with float weights");
  const std::vector<RecipeProblem> all = problems(recipe, config.context);
  if (!all.empty()) throw Error("training: {} {}", all[0].field, all[0].what);
}

std::vector<std::pair<std::string, std::string>> settings(const Recipe& r) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](const char* name, const auto& value) { all.emplace_back(name, fmt::format("{}", value)); };
  add("steps", r.steps);
  add("batch size", r.batch_size);
  add("sequence length", r.seq_len);
  if (r.first_seq_len > 0) {
    add("first sequence length", r.first_seq_len);
    add("lengthen at", r.lengthen_at);
  }
  add("accumulate", r.accumulate);
  add("optimizer", name_of(r.optimizer));
  add("learning rate", r.learning_rate);
  add("schedule", name_of(r.schedule));
  add("final learning rate", r.final_lr_fraction);
  add("warmup", r.warmup);
  if (r.schedule == Schedule::wsd) add("cooldown", r.cooldown);
  add("largest gradient norm", r.max_grad_norm);
  add("beta2", r.beta2);
  if (r.optimizer == Optimizer::muon) add("momentum", r.momentum);
  add("weight decay", r.weight_decay);
  add("z loss", r.z_loss);
  add("ema decay", r.ema_decay);
  add("seed", r.seed);
  add("precision", name_of(r.precision));
  return all;
}

}  // namespace tinyllm
