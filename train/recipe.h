#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// What updates hidden matrices; embeddings, head, norms and biases always use AdamW.
enum class Optimizer : uint8_t { adamw, muon };
constexpr auto names(Optimizer) { return std::array{"adamw", "muon"}; }

/// How the learning rate falls after the warm-up: along half a cosine, along a line, or (wsd: warm-up, stable, decay)
/// not at all until the last steps and then along a line.
/// Source of the last: Hu et al., "MiniCPM", 2024.
enum class Schedule : uint8_t { cosine, linear, wsd };
constexpr auto names(Schedule) { return std::array{"cosine", "linear", "wsd"}; }

/// The settings of one stage of training. A new field is also a line in recipe_fields.h.
struct Recipe {
  int64_t batch_size = 8;  ///< Rows computed at once.
  int64_t seq_len = 256;   ///< Tokens in a row.
  /// If above 0, the first steps cut each row into rows of this length, a divisor of `seq_len`: the same tokens with
  /// less to attend to.
  int64_t first_seq_len = 0;
  float lengthen_at = 0.5f;  ///< The fraction of the steps after which rows have their full length.
  int64_t accumulate = 1;    ///< Batches whose gradients are added up in a step, with the memory of one.
  int64_t steps = 1000;
  Optimizer optimizer = Optimizer::adamw;
  float learning_rate = 3e-4f;  ///< The highest.
  /// The learning rates of embeddings and head, as multiples of that. A row of theirs learns only from the tokens that
  /// it stands for, so it may take larger steps than a matrix. Embeddings that are the head too have `embedding_lr`.
  float embedding_lr = 1;
  float head_lr = 1;
  Schedule schedule = Schedule::cosine;
  float final_lr_fraction = 0.1f;  ///< The last learning rate, as a fraction of the highest.
  int64_t warmup = 100;            ///< Steps in which the learning rate rises from 0.
  float cooldown = 0.2f;           ///< The fraction of the steps in which the learning rate of Schedule::wsd falls.
  float max_grad_norm = 1.0f;      ///< Gradients with a larger global norm are scaled down to it.
  float beta2 = 0.99f;             ///< Of AdamW.
  float momentum = 0.95f;          ///< Of Muon.
  float weight_decay = 0.1f;       ///< Of matrices; norms and biases have none.
  float z_loss = 0;                ///< See linear_cross_entropy.
  /// If above 0, the stage's result is the exponential moving average of the weights instead of the last weights.
  float ema_decay = 0;
  uint64_t seed = 1;  ///< Of the order of the data and of dropout.
  /// Keep only what enters each block, and compute the rest again in the backward pass: less memory, more time, the
  /// same bits.
  bool checkpoint_activations = false;
  Precision precision = Precision::fp32;  ///< Of matrix products; weights and all sums are float.

  /// Rows in a step.
  int64_t batch_rows() const { return batch_size * accumulate; }
};

/// The learning rate of a step counted from 0: linear warm-up, then down to the final one by the schedule.
float learning_rate_at(const Recipe& recipe, int64_t step);
/// The length of that step's rows.
int64_t seq_len_at(const Recipe& recipe, int64_t step);

/// A field of a recipe with an invalid value: "0, expected 1 or more".
struct RecipeProblem {
  std::string field;
  std::string what;
};
/// All problems of a recipe for a model with this context length.
std::vector<RecipeProblem> problems_of(const Recipe& recipe, int64_t context);

/// Throws Error that names the first of the problems, or says that weights are packed and there are no adapters.
void check(const Recipe& recipe, const ModelConfig& config);

/// The names and values of all fields that affect the result. Two recipes with equal settings train bit-identical
/// models. Fields without effect are left out.
std::vector<std::pair<std::string, std::string>> settings(const Recipe& recipe);

}  // namespace tinyllm
