#include <tinyllm/runtime/sampler.h>

#include <tinyllm/tensor/error.h>
#include <tinyllm/tensor/philox.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {

void check(const Sampling& s, int64_t vocab_size) {
  // Written so that what is not a number fails too.
  if (!(s.temperature >= 0 && std::isfinite(s.temperature))) {
    throw Error("sampling: temperature {}, expected 0 or more", s.temperature);
  }
  if (s.top_k < 0) throw Error("sampling: top_k {}, expected 0 (all) or more", s.top_k);
  if (!(s.top_p > 0 && s.top_p <= 1)) throw Error("sampling: top_p {}, expected more than 0, at most 1", s.top_p);
  if (!(s.min_p >= 0 && s.min_p <= 1)) throw Error("sampling: min_p {}, expected 0 to 1", s.min_p);
  if (!(s.repetition_penalty > 0 && std::isfinite(s.repetition_penalty))) {
    throw Error("sampling: repetition_penalty {}, expected more than 0", s.repetition_penalty);
  }
  for (const auto& [token, bias] : s.logit_bias) {
    if (token < 0 || token >= vocab_size) {
      throw Error("sampling: logit_bias of token {}, expected 0 to {}", token, vocab_size - 1);
    }
    if (!std::isfinite(bias)) throw Error("sampling: logit_bias of token {} is {}", token, bias);
  }
}

Sampler::Sampler(Sampling sampling, int64_t vocab_size) : sampling_(std::move(sampling)) {
  check(sampling_, vocab_size);
  scores_.resize(static_cast<size_t>(vocab_size));
  penalised_.resize(static_cast<size_t>(vocab_size));
}

int32_t Sampler::next(std::span<const float> logits, std::span<const int32_t> tokens) {
  if (logits.size() != scores_.size()) throw Error("sampler: {} logits, expected {}", logits.size(), scores_.size());
  std::copy(logits.begin(), logits.end(), scores_.begin());
  for (const auto& [token, bias] : sampling_.logit_bias) scores_[static_cast<size_t>(token)] += bias;
  if (sampling_.repetition_penalty != 1) {
    std::fill(penalised_.begin(), penalised_.end(), false);
    for (const int32_t token : tokens) {
      const auto at = static_cast<size_t>(token);
      if (penalised_[at]) continue;
      penalised_[at] = true;
      scores_[at] =
          scores_[at] > 0 ? scores_[at] / sampling_.repetition_penalty : scores_[at] * sampling_.repetition_penalty;
    }
  }
  for (size_t i = 0; i < scores_.size(); ++i) {
    if (std::isnan(scores_[i])) throw Error("sampler: the logit of token {} is not a number", i);
  }
  if (sampling_.temperature == 0) {
    return static_cast<int32_t>(std::max_element(scores_.begin(), scores_.end()) - scores_.begin());
  }
  return draw(Random(sampling_.seed, draws_++).uniform());
}

int32_t Sampler::draw(double uniform) {
  candidates_.clear();
  for (size_t i = 0; i < scores_.size(); ++i) {
    candidates_.push_back({static_cast<int32_t>(i), static_cast<double>(scores_[i])});
  }
  // By weight, then by token: an order that is one for all.
  const auto heavier = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  const size_t most =
      sampling_.top_k == 0 ? candidates_.size() : std::min(candidates_.size(), static_cast<size_t>(sampling_.top_k));
  const auto end_of_kept = candidates_.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(candidates_.begin(), end_of_kept, candidates_.end(), heavier);
  candidates_.resize(most);

  const double greatest = candidates_[0].weight;
  double total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp((candidate.weight - greatest) / static_cast<double>(sampling_.temperature));
    total += candidate.weight;
  }
  double kept = 0;
  size_t count = 0;
  while (count < candidates_.size() && candidates_[count].weight >= static_cast<double>(sampling_.min_p) &&
         (count == 0 || kept < static_cast<double>(sampling_.top_p) * total)) {
    kept += candidates_[count++].weight;
  }
  double left = uniform * kept;
  for (size_t i = 0; i + 1 < count; ++i) {
    left -= candidates_[i].weight;
    if (left < 0) return candidates_[i].token;
  }
  return candidates_[count - 1].token;
}

}  // namespace tinyllm
