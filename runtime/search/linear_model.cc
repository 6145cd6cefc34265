#include <tinyllm/runtime/search/linear_model.h>

#include <algorithm>

namespace tinyllm::search {
namespace {

constexpr int kSteps = 400;
constexpr double kRate = 0.1;

// The deviation of each feature, 1 where it is constant.
Weights deviations(std::span<const Features* const> rows) {
  Weights deviation;
  for (size_t k = 0; k < kFeatures; ++k) {
    double sum = 0, squares = 0;
    for (const Features* row : rows) {
      sum += (*row)[k];
      squares += double{(*row)[k]} * (*row)[k];
    }
    const double n = static_cast<double>(std::max<size_t>(rows.size(), 1));
    const double variance = squares / n - sum / n * (sum / n);
    deviation[k] = variance > 1e-12 ? std::sqrt(variance) : 1;
  }
  return deviation;
}

// Adam on a concave function of few variables. Source: Kingma and Ba, 2015.
template <size_t kCount, class Gradient>
std::array<double, kCount> maximised(Gradient gradient) {
  std::array<double, kCount> x{}, mean{}, square{};
  double mean_scale = 1, square_scale = 1;
  for (int step = 0; step < kSteps; ++step) {
    const std::array<double, kCount> slope = gradient(x);
    mean_scale *= 0.9;
    square_scale *= 0.999;
    const double rate = kRate * (1 - static_cast<double>(step) / kSteps);
    for (size_t k = 0; k < kCount; ++k) {
      mean[k] = 0.9 * mean[k] + 0.1 * slope[k];
      square[k] = 0.999 * square[k] + 0.001 * slope[k] * slope[k];
      x[k] += rate * (mean[k] / (1 - mean_scale)) / (std::sqrt(square[k] / (1 - square_scale)) + 1e-8);
    }
  }
  return x;
}

}  // namespace

double score_of(const Features& features, const Weights& weights) {
  double score = 0;
  for (size_t k = 0; k < kFeatures; ++k) score += weights[k] * double{features[k]};
  return score;
}

Weights learn_choices(std::span<const Choice> choices, double decay) {
  std::vector<const Features*> rows;
  int64_t telling = 0;
  const auto teaches = [](const Choice& choice) {
    const auto right = std::count(choice.is_right.begin(), choice.is_right.end(), true);
    return right > 0 && right < std::ssize(choice.is_right);
  };
  for (const Choice& choice : choices) {
    if (!teaches(choice)) continue;
    ++telling;
    for (const Features& option : choice.options) rows.push_back(&option);
  }
  if (telling == 0) return {};
  const Weights deviation = deviations(rows);
  Weights weights = maximised<kFeatures>([&](const Weights& scaled) {
    Weights plain, slope{};
    for (size_t k = 0; k < kFeatures; ++k) plain[k] = scaled[k] / deviation[k];
    std::vector<double> share;
    for (const Choice& choice : choices) {
      if (!teaches(choice)) continue;
      share.clear();
      for (const Features& option : choice.options) share.push_back(score_of(option, plain));
      const double most = *std::max_element(share.begin(), share.end());
      double all = 0, right = 0;
      for (size_t i = 0; i < share.size(); ++i) {
        share[i] = std::exp(share[i] - most);
        all += share[i];
        if (choice.is_right[i]) right += share[i];
      }
      right = std::max(right, 1e-300);
      for (size_t i = 0; i < share.size(); ++i) {
        const double pull = (choice.is_right[i] ? share[i] / right : 0) - share[i] / all;
        for (size_t k = 0; k < kFeatures; ++k) slope[k] += pull * double{choice.options[i][k]} / deviation[k];
      }
    }
    for (size_t k = 0; k < kFeatures; ++k) slope[k] = slope[k] / static_cast<double>(telling) - decay * scaled[k];
    return slope;
  });
  for (size_t k = 0; k < kFeatures; ++k) weights[k] /= deviation[k];
  return weights;
}

Logistic learn_logistic(std::span<const Features> features, const std::vector<bool>& is_right, double decay) {
  std::vector<const Features*> rows;
  for (const Features& row : features) rows.push_back(&row);
  if (rows.empty()) return {};
  const Weights deviation = deviations(rows);
  const auto learned = maximised<kFeatures + 1>([&](const std::array<double, kFeatures + 1>& scaled) {
    std::array<double, kFeatures + 1> slope{};
    Logistic model;
    for (size_t k = 0; k < kFeatures; ++k) model.weights[k] = scaled[k] / deviation[k];
    model.bias = scaled[kFeatures];
    for (size_t i = 0; i < rows.size(); ++i) {
      const double pull = (is_right[i] ? 1 : 0) - model.probability(*rows[i]);
      for (size_t k = 0; k < kFeatures; ++k) slope[k] += pull * double{(*rows[i])[k]} / deviation[k];
      slope[kFeatures] += pull;
    }
    for (size_t k = 0; k <= kFeatures; ++k) {
      slope[k] = slope[k] / static_cast<double>(rows.size()) - (k < kFeatures ? decay * scaled[k] : 0);
    }
    return slope;
  });
  Logistic model;
  for (size_t k = 0; k < kFeatures; ++k) model.weights[k] = learned[k] / deviation[k];
  model.bias = learned[kFeatures];
  return model;
}

}  // namespace tinyllm::search
