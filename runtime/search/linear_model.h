#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

// Models that are a weighted sum of a few features, and how they are learned. Results are a function of the data alone.
namespace tinyllm::search {

/// Ten features of something that may be chosen, each about 0 to 1.
inline constexpr size_t kFeatures = 10;
using Features = std::array<float, kFeatures>;
using Weights = std::array<double, kFeatures>;

/// The sum of weights times features.
double score_of(const Features& features, const Weights& weights);

/// Things of which one is to be chosen, and which of them are right.
struct Choice {
  std::vector<Features> options;
  std::vector<bool> is_right;
};

/// Weights that maximise the mean over the choices of ln(sum of exp(score) of right options / sum of exp(score) of
/// all), less `decay` / 2 times the sum of squares of the weights of features scaled to unit variance. Choices without
/// a right option, or with no wrong one, teach nothing. Source: McFadden, "Conditional Logit Analysis of Qualitative
/// Choice Behavior", 1974. All weights are 0 when there is nothing to learn.
Weights learn_choices(std::span<const Choice> choices, double decay = 1e-3);

/// A probability: 1 / (1 + exp(-(bias + score))).
struct Logistic {
  Weights weights{};
  double bias = 0;

  double probability(const Features& features) const {
    return 1 / (1 + std::exp(-(bias + score_of(features, weights))));
  }
};

/// The logistic regression of `is_right` on the features, with the same penalty.
Logistic learn_logistic(std::span<const Features> features, const std::vector<bool>& is_right, double decay = 1e-3);

}  // namespace tinyllm::search
