#include <tinyllm/train/guard.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinyllm {

std::optional<std::string> broken_weight(const Model& model) {
  std::vector<WeightSpec> specs = weight_specs(model.config);
  if (model.config.lora.rank > 0) {
    const std::vector<WeightSpec> adapters = trained_specs(model.config);
    specs.insert(specs.end(), adapters.begin(), adapters.end());
  }
  for (const WeightSpec& spec : specs) {
    if (spec.type.is_packed()) continue;  // What packs a matrix has checked it, and training leaves it as it is.
    for (const float x : model.weights->at(spec.name).as<float>()) {
      if (!std::isfinite(x * x)) return fmt::format("{} holds {}", spec.name, std::isnan(x) ? std::abs(x) : x);
    }
  }
  return std::nullopt;
}

Guard::Guard(int64_t vocab_size, double first_loss)
    : guessing_(std::log(static_cast<double>(vocab_size))), first_loss_(first_loss) {}

std::optional<std::string> Guard::fault(double loss) const {
  if (!std::isfinite(loss)) return std::string("its loss is not finite");
  if (loss <= 2 * std::max(guessing_, first_loss_)) return std::nullopt;
  return fmt::format("its loss is {:.4g}, that of guessing {:.4g}", loss, guessing_);
}

std::optional<std::string> Guard::add(int64_t step, const Trainer::Step& result) {
  if (result.weight == 0) return fmt::format("step {} had nothing to learn: skipped", step);
  if (!result.is_finite()) return bad(step, result);
  bad_in_a_row_ = 0;
  const auto loss = static_cast<double>(result.loss);
  if (first_loss_ == 0) first_loss_ = loss;
  const auto count = static_cast<double>(recent_.size());
  const double mean = std::accumulate(recent_.begin(), recent_.end(), 0.0) / count;
  double squares = 0;
  for (const double x : recent_) squares += (x - mean) * (x - mean);
  const bool is_full = recent_.size() == kWindow;
  recent_.push_back(loss);
  if (!is_full) return std::nullopt;
  recent_.pop_front();
  if (lowest_ == 0 || mean < lowest_) lowest_ = mean;
  if (loss > 1.1 * mean && loss > mean + 0.1 && loss > mean + 6 * std::sqrt(squares / count)) {
    return fmt::format("the loss jumped to {:.3f} at step {}, from {:.3f} on average before", loss, step, mean);
  }
  return rise(result, mean);
}

std::optional<std::string> Guard::bad(int64_t step, const Trainer::Step& result) {
  const std::string what = fmt::format("loss {} and gradient norm {} at step {}", result.loss, result.grad_norm, step);
  if (++bad_in_a_row_ == kMaxBad) {
    throw Error("training: {}: {} steps in a row were not finite; a learning rate below {} may help", what, kMaxBad,
                result.learning_rate);
  }
  return what + (result.was_taken() ? ": the weights were updated anyway" : ": skipped, the weights are unchanged");
}

std::optional<std::string> Guard::rise(const Trainer::Step& result, double mean) {
  if (has_risen_ || mean < lowest_ + 0.5) return std::nullopt;
  has_risen_ = true;
  return fmt::format(
      "the loss has risen from {:.3f} to {:.3f}: the training diverges; a learning rate below {} may help", lowest_,
      mean, result.learning_rate);
}

}  // namespace tinyllm
