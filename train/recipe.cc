#include <tinyllm/train/recipe.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

// What is left of the way from the highest rate to the final one, when `done` of the steps after the warm-up are.
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

float rate_at(const Recipe& r, int64_t step) {
  if (step < r.warmup) return r.rate * static_cast<float>(step + 1) / static_cast<float>(r.warmup);
  const double total = static_cast<double>(std::max<int64_t>(1, r.steps - r.warmup));
  const double done = std::min(1.0, static_cast<double>(step - r.warmup) / total);
  const double last = static_cast<double>(r.final_rate);
  return static_cast<float>(static_cast<double>(r.rate) * (last + (1 - last) * remaining(r, done)));
}

int64_t length_at(const Recipe& r, int64_t step) {
  const bool is_first = static_cast<double>(step) < static_cast<double>(r.lengthen_at) * static_cast<double>(r.steps);
  return r.first_length > 0 && is_first ? r.first_length : r.length;
}

void check(const Recipe& r, const ModelConfig& config) {
  if (config.types.quantized()) throw Error("training: the model is quantised, expected one with float weights");
  const auto expect = [](bool is_right, const char* name, auto value, const char* expected) {
    if (!is_right) throw Error("training: {} {}, expected {}", name, value, expected);
  };
  expect(r.rows >= 1, "rows", r.rows, "1 or more");
  expect(r.accumulate >= 1, "accumulate", r.accumulate, "1 or more");
  expect(r.length >= 1 && r.length <= config.context, "length", r.length,
         fmt::format("1 to {}", config.context).c_str());
  expect(r.first_length >= 0 && r.first_length <= r.length && (r.first_length == 0 || r.length % r.first_length == 0),
         "first length", r.first_length, fmt::format("0, or a divisor of {}", r.length).c_str());
  expect(r.lengthen_at >= 0 && r.lengthen_at <= 1, "lengthen at", r.lengthen_at, "0 to 1 of the steps");
  expect(r.steps >= 0, "steps", r.steps, "0 or more");
  expect(r.warmup >= 0, "warmup", r.warmup, "0 or more steps");
  expect(r.rate > 0 && std::isfinite(r.rate), "rate", r.rate, "a number above 0");
  expect(r.final_rate >= 0 && r.final_rate <= 1, "final rate", r.final_rate, "0 to 1 of the highest");
  expect(r.cooldown > 0 && r.cooldown <= 1, "cooldown", r.cooldown, "above 0, up to 1 of the steps");
  expect(r.clip > 0, "clip", r.clip, "above 0");
  expect(r.beta2 >= 0 && r.beta2 < 1, "beta2", r.beta2, "0 to below 1");
  expect(r.momentum >= 0 && r.momentum < 1, "momentum", r.momentum, "0 to below 1");
  expect(r.decay >= 0, "decay", r.decay, "0 or more");
  expect(r.z_loss >= 0, "z loss", r.z_loss, "0 or more");
  expect(r.average >= 0 && r.average < 1, "average", r.average, "0 to below 1");
}

std::vector<std::pair<std::string, std::string>> settings(const Recipe& r) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](const char* name, const auto& value) { all.emplace_back(name, fmt::format("{}", value)); };
  add("steps", r.steps);
  add("rows", r.rows);
  add("length", r.length);
  if (r.first_length > 0) {
    add("first length", r.first_length);
    add("lengthen at", r.lengthen_at);
  }
  add("accumulate", r.accumulate);
  add("optimizer", name_of(r.optimizer));
  add("rate", r.rate);
  add("schedule", name_of(r.schedule));
  add("final rate", r.final_rate);
  add("warmup", r.warmup);
  if (r.schedule == Schedule::wsd) add("cooldown", r.cooldown);
  add("clip", r.clip);
  add("beta2", r.beta2);
  if (r.optimizer == Optimizer::muon) add("momentum", r.momentum);
  add("decay", r.decay);
  add("z loss", r.z_loss);
  add("average", r.average);
  add("seed", r.seed);
  add("precision", name_of(r.precision));
  return all;
}

}  // namespace tinyllm
