#include <doctest/doctest.h>

#include "train/sample_run.h"

#include <numbers>

namespace tinyllm::test {

TEST_CASE("bits per byte count the text of the targets") {
  const Evaluation evaluation{.loss = std::numbers::ln2 * 3, .targets = 10, .bytes = 20};
  CHECK(evaluation.bits_per_byte() == doctest::Approx(1.5));
  CHECK(evaluation.perplexity() == doctest::Approx(8));
  const Model model = sample_model(0);
  ThreadPool pool(1);
  const std::string text = "一二三 abc\n";
  const std::vector<int32_t> tokens = model.tokenizer->encode("x" + text);
  const Dataset data = Dataset::of_texts({tokens}, 40);
  const Evaluation found = Evaluator(model, 1, 40, pool).evaluate(data, 1);
  CHECK(found.targets == static_cast<int64_t>(tokens.size()) - 1);
  CHECK(found.bytes == static_cast<int64_t>(("x" + text).size() - model.tokenizer->decode({{tokens[0]}}).size()));
}

}  // namespace tinyllm::test
