#include <tinyllm/train/recipe.h>

#include <tinyllm/train/recipe_fields.h>

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

std::vector<RecipeProblem> problems_of(const Recipe& r, int64_t context) {
  std::vector<RecipeProblem> all;
  for_each_problem(r, kRecipeFields, [&](const char* name, std::string what) { all.push_back({name, what}); });
  const auto expect = [&](bool is_right, const char* field, int64_t value, const std::string& expected) {
    if (!is_right) all.push_back({field, fmt::format("{}, expected {}", value, expected)});
  };
  expect(r.seq_len <= context, "seq_len", r.seq_len, fmt::format("1 to {}", context));
  const bool divides = r.first_seq_len > 0 && r.first_seq_len < r.seq_len && r.seq_len % r.first_seq_len == 0;
  expect(r.first_seq_len == 0 || divides, "first_seq_len", r.first_seq_len,
         fmt::format("0, or a divisor of {} below it", r.seq_len));
  if (!all.empty()) return all;
  expect(r.batch_size <= kMaxStepTokens / r.accumulate / r.seq_len, "batch_size", r.batch_size,
         fmt::format("at most {} tokens in a step", kMaxStepTokens));
  expect(r.steps <= (kMaxSteps - 1) / r.accumulate, "steps", r.steps,
         fmt::format("at most {} with {} batches in a step", (kMaxSteps - 1) / r.accumulate, r.accumulate));
  return all;
}

void check(const Recipe& recipe, const ModelConfig& config) {
  if (config.types.quantized() && config.lora.rank == 0) {
    throw Error(
        "training: the weights are {}, and packed weights stay as they are; train adapters beside them, or a model "
        "with f32 weights",
        (config.types.matrices.is_packed() ? config.types.matrices : config.types.tables).name());
  }
  const std::vector<RecipeProblem> all = problems_of(recipe, config.context);
  if (!all.empty()) throw Error("training: {} {}", all[0].field, all[0].what);
}

std::vector<std::pair<std::string, std::string>> settings(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> all;
  for_each_field(kRecipeFields, [&](const auto& field) {
    const auto is_unmet = [&](const Need& need) { return need.field == field.name && !need.is_met(recipe); };
    if (std::ranges::any_of(kNeeds, is_unmet)) return;
    const auto value = recipe.*field.member;
    if constexpr (Named<decltype(value)>) {
      all.emplace_back(field.name, name_of(value));
    } else {
      all.emplace_back(field.name, fmt::format("{}", value));
    }
  });
  return all;
}

}  // namespace tinyllm
