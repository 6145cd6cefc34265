#pragma once

#include <tinyllm/tensor/base/fields.h>
#include <tinyllm/train/recipe.h>

#include <string_view>

// The fields of Recipe: ranges, the settings that a run is compared by and the options of programs follow from this
// list. Rules that relate fields are in recipe.cc.
namespace tinyllm {

// With these limits no product of steps, rows and tokens overflows, and a step's number fits an i32.
inline constexpr int64_t kMaxSteps = int64_t{1} << 31;
inline constexpr int64_t kMaxStepTokens = int64_t{1} << 30;

/// All fields that affect the result. `checkpoint_activations` is not one of them: results are bit-identical with it.
inline constexpr std::tuple kRecipeFields{
    field("steps", &Recipe::steps, "Take this many optimizer steps.", between(0, kMaxSteps)),
    field("batch_size", &Recipe::batch_size, "Compute this many rows at once.", between(1, kMaxStepTokens)),
    field("accumulate", &Recipe::accumulate,
          "Add up the gradients of this many batches in each step: the effect of a larger batch in the memory of one.",
          between(1, kMaxStepTokens)),
    field("seq_len", &Recipe::seq_len, "Put this many tokens in a row.", at_least(1)),
    field(
        "first_seq_len", &Recipe::first_seq_len,
        "Use rows of this many tokens, a divisor of the full length, in the first steps, which is faster; 0 uses full "
        "rows from the start."),
    field("lengthen_at", &Recipe::lengthen_at, "Use full rows after this fraction of the steps.", fraction()),
    field("optimizer", &Recipe::optimizer, "Update hidden matrices with this optimizer; everything else uses adamw."),
    field("learning_rate", &Recipe::learning_rate, "Set the highest learning rate.", above(0)),
    field("embedding_lr", &Recipe::embedding_lr, "Multiply the learning rate by this for embeddings.", above(0)),
    field("head_lr", &Recipe::head_lr, "Multiply the learning rate by this for the head.", above(0)),
    field("schedule", &Recipe::schedule,
          "Lower the learning rate on this schedule; wsd keeps it constant until the last steps."),
    field("warmup", &Recipe::warmup, "Raise the learning rate from 0 over this many steps.", between(0, kMaxSteps)),
    field("cooldown", &Recipe::cooldown, "Lower the learning rate of wsd over this last fraction of the steps.",
          fraction_above_zero()),
    field("final_lr_fraction", &Recipe::final_lr_fraction, "End with this fraction of the highest learning rate.",
          fraction()),
    field("max_grad_norm", &Recipe::max_grad_norm, "Scale gradients with a larger global norm down to it.", above(0)),
    field("beta2", &Recipe::beta2, "Set the decay of the second moments of adamw.", below_one()),
    field("momentum", &Recipe::momentum, "Set the momentum of muon.", below_one()),
    field("weight_decay", &Recipe::weight_decay, "Set the weight decay of matrices.", at_least(0)),
    field("z_loss", &Recipe::z_loss, "Add the z-loss with this weight, for example 1e-4; 0 adds none.", at_least(0)),
    field("ema_decay", &Recipe::ema_decay,
          "Save the exponential moving average of the weights with this decay, for example 0.999; 0 saves the last "
          "weights.",
          below_one()),
    field("seed", &Recipe::seed,
          "Draw weights, order and dropout from this seed: the same seed and precision give the same model."),
    field("precision", &Recipe::precision, "Multiply matrices in this precision."),
};

/// A field that has an effect only if another field has a certain value.
struct Need {
  std::string_view field;
  std::string_view other;
  std::string_view value;  ///< The value that the other needs; empty: anything but 0.
  bool (*is_met)(const Recipe&);
};
inline constexpr Need kNeeds[] = {
    {"lengthen_at", "first_seq_len", "", [](const Recipe& r) { return r.first_seq_len > 0; }},
    {"cooldown", "schedule", "wsd", [](const Recipe& r) { return r.schedule == Schedule::wsd; }},
    {"momentum", "optimizer", "muon", [](const Recipe& r) { return r.optimizer == Optimizer::muon; }},
};

}  // namespace tinyllm
