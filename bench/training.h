#pragma once

#include <tinyllm/train/trainer.h>

namespace tinyllm::bench {

/// A batch of `rows` x `length` tokens, as in "8x256".
struct BatchSize {
  int64_t rows, length;

  /// Throws Error on any other text.
  static BatchSize parse(const std::string& text);
  int64_t tokens() const { return rows * length; }
  std::string str() const { return fmt::format("{}x{}", rows, length); }
};

/// A model without weights, and with a tokenizer that is not used.
Model untrained_model(const ModelConfig& config);

/// A model in training on random tokens: forward, backward, clipping, AdamW, the model's dropout.
class TrainingStep {
 public:
  /// `recipe` sets rows, length, accumulation, recomputation and precision. With a `lora_rank` above 0, adapters of all
  /// matrices of the blocks are trained instead of the weights.
  TrainingStep(const Recipe& recipe, ThreadPool& pool, const ModelConfig& config = {}, int64_t lora_rank = 0);

  void run() { trainer_.step(batch_); }
  /// The median time of each op over `runs`, slowest first.
  std::vector<OpTime> profile(int runs);
  double flops() const { return step_flops(model_.config, batch_.rows, batch_.length); }
  const Graph& graph() const { return trainer_.graph(); }
  Memory memory() const { return trainer_.memory(); }

 private:
  Model model_;
  Trainer trainer_;
  Batch batch_;
};

}  // namespace tinyllm::bench
