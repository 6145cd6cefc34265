// Any logits under any settings: the token drawn is one that the settings keep.
#include <tinyllm/runtime/sampler.h>

#include "fuzz/fuzz.h"

#include <cmath>
#include <limits>

void tinyllm::test::fuzz(std::string_view bytes) {
  Bytes in(bytes);
  Sampling sampling;
  sampling.temperature = in.take<float>();
  sampling.top_k = in.take<int8_t>();
  sampling.top_p = in.take<float>();
  sampling.min_p = in.take<float>();
  sampling.repetition_penalty = in.take<float>();
  sampling.seed = in.take<uint8_t>();
  std::vector<float> logits;
  while (!in.empty()) logits.push_back(in.take<float>());
  const auto size = static_cast<int64_t>(logits.size());
  if (size == 0) return;  // There is no vocabulary without tokens.
  may_refuse([&] {
    Sampler sampler(sampling, size);
    const std::vector<int32_t> tokens = {0};
    for (int draw = 0; draw < 3; ++draw) {
      const int32_t token = sampler.next(logits, tokens);
      require(token >= 0 && token < size);
      require(logits[static_cast<size_t>(token)] > -std::numeric_limits<float>::infinity());
    }
  });
}
