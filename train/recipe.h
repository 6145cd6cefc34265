#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// What steps along the gradient of a hidden matrix; embeddings, head, norms and biases always have AdamW.
enum class Optimizer : uint8_t { adamw, muon };

/// How the learning rate goes down again after the warm-up: along half a cosine, along a line, or not at all until the
/// last part of the steps and then along a line (warm-up, stable, decay).
/// Source of the last: Hu et al., "MiniCPM", 2024.
enum class Schedule : uint8_t { cosine, linear, wsd };

const char* name_of(Optimizer optimizer);
const char* name_of(Schedule schedule);

/// How a stretch of training goes.
struct Recipe {
  int64_t rows = 8;      ///< That are computed at once.
  int64_t length = 256;  ///< Tokens of a row.
  /// Where above 0, the first steps cut each row into rows of this length, a divisor of `length`: as many tokens, with
  /// less to attend to.
  int64_t first_length = 0;
  float lengthen_at = 0.5f;  ///< The part of the steps after which rows are whole.
  int64_t accumulate = 1;    ///< Times `rows` in a batch: their gradients add up, and memory is that of one time.
  int64_t steps = 1000;
  Optimizer optimizer = Optimizer::adamw;
  float rate = 3e-4f;  ///< The highest learning rate.
  Schedule schedule = Schedule::cosine;
  float final_rate = 0.1f;  ///< The last one, as a part of the highest.
  int64_t warmup = 100;     ///< Steps in which the rate rises from 0.
  float cooldown = 0.2f;    ///< The part of the steps in which the rate of Schedule::wsd goes down.
  float clip = 1.0f;        ///< Largest global norm of the gradient.
  float beta2 = 0.99f;      ///< Of AdamW.
  float momentum = 0.95f;   ///< Of Muon.
  float decay = 0.1f;       ///< Of matrices; norms and biases have none.
  float z_loss = 0;         ///< See linear_cross_entropy.
  /// Where above 0, the model that a stage ends with is not of the last weights but of their average over the steps, of
  /// which every step keeps this part.
  float average = 0;
  uint64_t seed = 1;  ///< Of the order of the data and of dropout.
  /// Keep only what enters each block, and compute the rest again in the backward pass: less memory, more time, the
  /// same bits.
  bool recompute = false;
  Precision precision = Precision::fp32;  ///< Of matrix products; weights and all sums are float.

  int64_t batch_rows() const { return rows * accumulate; }
};

/// The learning rate of a step counted from 0: linear warm-up, then down to the final rate by the schedule.
float rate_at(const Recipe& recipe, int64_t step);
/// The length of that step's rows.
int64_t length_at(const Recipe& recipe, int64_t step);

/// Throws Error that names the field when one of them cannot be, with this model or at all, or when the model is
/// quantised.
void check(const Recipe& recipe, const ModelConfig& config);

/// All that decides what is computed, as names and values: two recipes that agree here train the same bits.
std::vector<std::pair<std::string, std::string>> settings(const Recipe& recipe);

}  // namespace tinyllm
