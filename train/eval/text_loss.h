#pragma once

#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/eval/results.h>
#include <tinyllm/train/evaluator.h>

#include <filesystem>

namespace tinyllm::eval {

/// How well a model predicts a file of tokens, batch by batch.
class TextLoss {
 public:
  struct Options {
    int64_t validation_every = 100;  ///< One of so many documents, those that pretrain keeps for validation. 0: all.
    int64_t tokens = 32768;          ///< About so many, from all parts of the data.
  };
  /// `model` must outlive it. Throws Error when the file was made with another tokenizer, or has nothing to predict.
  TextLoss(const Model& model, const std::filesystem::path& path, const Options& options, const ThreadPool& pool);

  SetInfo info() const;
  /// The scores of a batch: `nats`, `tokens` and `bytes`, to be added up.
  Result measure(size_t batch);

 private:
  std::string name_;
  TextDataset data_;
  Evaluator evaluator_;
  std::vector<int64_t> batches_;
};

}  // namespace tinyllm::eval
