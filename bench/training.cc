#include "training.h"

#include "measure.h"
#include "shapes.h"

#include <tinyllm/model/lora.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace tinyllm::bench {
namespace {

Batch random_batch(const BatchSize& size, int64_t vocab) {
  Random random(1);
  const auto tokens = static_cast<size_t>(size.tokens());
  Batch batch{size.rows,
              size.length,
              std::vector<int32_t>(tokens),
              std::vector<int32_t>(tokens),
              std::vector<int32_t>(tokens),
              std::vector<int32_t>(tokens, 0)};
  for (size_t i = 0; i < tokens; ++i) {
    batch.tokens[i] = static_cast<int32_t>(random.below(vocab));
    batch.targets[i] = static_cast<int32_t>(random.below(vocab));
    batch.positions[i] = static_cast<int32_t>(i) % static_cast<int32_t>(size.length);
  }
  return batch;
}

Model random_model(const ModelConfig& config, int64_t lora_rank, ThreadPool& pool) {
  Model model = untrained_model(config);
  fill_weights(config, *model.weights, pool);
  if (lora_rank > 0) add_lora(model, {.rank = lora_rank}, 1);
  return model;
}

}  // namespace

Model untrained_model(const ModelConfig& config) {
  const std::vector<std::string> text = {"a b c d e f g h"};
  return {config, std::make_shared<SentencePieceTokenizer>(SentencePieceTokenizer::train(text, {.vocab_size = 300}))};
}

BatchSize BatchSize::parse(const std::string& text) {
  BatchSize size{0, 0};
  const char* end = text.data() + text.size();
  const auto [x, error] = std::from_chars(text.data(), end, size.rows);
  if (error == std::errc() && x != end && *x == 'x' && std::from_chars(x + 1, end, size.length).ptr == end &&
      size.rows > 0 && size.length > 0) {
    return size;
  }
  throw Error("batch {}: expected rows x tokens, as in 8x256", text);
}

TrainingStep::TrainingStep(const Recipe& recipe, ThreadPool& pool, const ModelConfig& config, int64_t lora_rank)
    : model_(random_model(config, lora_rank, pool)),
      trainer_(model_, recipe, pool),
      batch_(random_batch({recipe.batch_rows(), recipe.seq_len}, model_.config.vocab_size)) {}

std::vector<OpTime> TrainingStep::profile(int runs) {
  std::map<std::string, std::vector<double>> times;
  std::vector<OpTime> ops;
  for (int i = 0; i < runs; ++i) {
    ops = trainer_.profile(batch_);
    for (const OpTime& op : ops) times[op.op].push_back(op.seconds);
  }
  for (OpTime& op : ops) op.seconds = median(times[op.op]);
  std::sort(ops.begin(), ops.end(), [](const OpTime& a, const OpTime& b) { return a.seconds > b.seconds; });
  return ops;
}

}  // namespace tinyllm::bench
