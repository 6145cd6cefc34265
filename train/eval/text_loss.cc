#include <tinyllm/train/eval/text_loss.h>

#include <algorithm>

namespace tinyllm::eval {
namespace {

constexpr int64_t kRows = 8;  // Computed at once.

TextOptions text_options(const Model& model, const TextLoss::Options& options) {
  TextOptions text{.length = model.config.context, .pad = model.tokenizer->pad()};
  text.part = options.validation_every == 0 ? TextPart::all : TextPart::validation;
  if (options.validation_every > 0) text.validation_every = options.validation_every;
  return text;
}

}  // namespace

TextLoss::TextLoss(const Model& model, const std::filesystem::path& path, const Options& options,
                   const ThreadPool& pool)
    : name_(path.stem().string()),
      data_(std::make_shared<const TokenFile>(path, *model.tokenizer), text_options(model, options)),
      evaluator_(model, kRows, data_.length(), pool),
      batches_(evaluator_.batches_of(data_, std::max(kRows, options.tokens / data_.length()))) {
  if (batches_.empty()) throw Error("{}: has nothing to predict", path.string());
}

SetInfo TextLoss::info() const {
  return {.name = name_, .task = "text", .questions = std::ssize(batches_), .hash = data_.hash()};
}

Result TextLoss::measure(size_t batch) {
  const Evaluation found = evaluator_.evaluate_batch(data_, batches_.at(batch));
  const auto tokens = static_cast<double>(found.targets);
  return {.question = batch,
          .scores = {{"nats", found.loss * tokens}, {"tokens", tokens}, {"bytes", static_cast<double>(found.bytes)}}};
}

}  // namespace tinyllm::eval
