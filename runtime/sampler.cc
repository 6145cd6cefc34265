#include <tinyllm/runtime/sampler.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace tinyllm {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void check(const Sampling& s, int64_t vocab_size) {
  // Each condition is negated, so that NaN fails it too.
  if (!(s.temperature >= 0 && std::isfinite(s.temperature))) {
    throw Error("sampling: temperature {}, expected 0 or more", s.temperature);
  }
  if (s.top_k < 0) throw Error("sampling: top_k {}, expected 0 (all) or more", s.top_k);
  if (!(s.top_p > 0 && s.top_p <= 1)) throw Error("sampling: top_p {}, expected more than 0, at most 1", s.top_p);
  if (!(s.min_p >= 0 && s.min_p <= 1)) throw Error("sampling: min_p {}, expected 0 to 1", s.min_p);
  if (!(s.repetition_penalty > 0 && std::isfinite(s.repetition_penalty))) {
    throw Error("sampling: repetition_penalty {}, expected more than 0", s.repetition_penalty);
  }
  if (!std::isfinite(s.frequency_penalty)) {
    throw Error("sampling: frequency_penalty {}, expected a finite number", s.frequency_penalty);
  }
  if (!std::isfinite(s.presence_penalty)) {
    throw Error("sampling: presence_penalty {}, expected a finite number", s.presence_penalty);
  }
  for (const auto& [token, bias] : s.logit_bias) {
    if (token < 0 || token >= vocab_size) {
      throw Error("sampling: logit_bias of token {}, expected 0 to {}", token, vocab_size - 1);
    }
    if (!std::isfinite(bias)) throw Error("sampling: logit_bias of token {} is {}", token, bias);
  }
}

uint64_t seed_of_choice(uint64_t seed, int64_t choice) {
  if (choice == 0) return seed;
  Random random(seed, ~static_cast<uint64_t>(choice));
  const uint64_t high = random.next();
  return high << 32 | random.next();
}

Sampler::Sampler(Sampling sampling, int64_t vocab_size, int64_t tokens)
    : sampling_(std::move(sampling)), tokens_(std::min(tokens, vocab_size)) {
  check(sampling_, vocab_size);
  scores_.resize(static_cast<size_t>(vocab_size));
  penalised_.resize(static_cast<size_t>(vocab_size));
}

int32_t Sampler::next(std::span<const float> logits, std::span<const int32_t> tokens, std::span<const int32_t> answer,
                      const std::vector<bool>* allowed) {
  if (logits.size() != scores_.size()) throw Error("sampler: {} logits, expected {}", logits.size(), scores_.size());
  if (allowed != nullptr && allowed->size() != scores_.size()) {
    throw Error("sampler: a mask of {} allowed tokens, expected {}", allowed->size(), scores_.size());
  }
  std::copy(logits.begin(), logits.end(), scores_.begin());
  for (const auto& [token, bias] : sampling_.logit_bias) scores_[static_cast<size_t>(token)] += bias;
  apply_penalties(tokens, answer);
  for (size_t i = 0; i < scores_.size(); ++i) {
    if (std::isnan(scores_[i]) || scores_[i] == kInfinity) {
      throw Error("sampler: the logit of token {} is {}", i, scores_[i]);
    }
    if (allowed != nullptr && !(*allowed)[i]) scores_[i] = -kInfinity;
  }
  std::fill(scores_.begin() + tokens_, scores_.end(), -kInfinity);
  const auto greatest = std::max_element(scores_.begin(), scores_.end());
  if (*greatest == -kInfinity) {
    throw Error("sampler: the logits of all {}tokens are -inf", allowed == nullptr ? "" : "allowed ");
  }
  if (sampling_.temperature == 0) return static_cast<int32_t>(greatest - scores_.begin());
  return draw(*greatest, Random(sampling_.seed, draws_++).uniform());
}

void Sampler::apply_penalties(std::span<const int32_t> tokens, std::span<const int32_t> answer) {
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
  if (sampling_.frequency_penalty == 0 && sampling_.presence_penalty == 0) return;
  std::map<int32_t, int64_t> counts;
  for (const int32_t token : answer) ++counts[token];
  for (const auto& [token, count] : counts) {
    scores_[static_cast<size_t>(token)] -=
        static_cast<float>(count) * sampling_.frequency_penalty + sampling_.presence_penalty;
  }
}

// The candidates are a heap, which is sorted only as far as needed: most draws need few ranks.
const Sampler::Candidate& Sampler::likeliest(size_t rank) {
  const auto less = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.token > b.token;
  };
  if (rank == 0 && taken_.empty()) std::make_heap(candidates_.begin(), candidates_.end(), less);
  while (taken_.size() <= rank) {
    std::pop_heap(candidates_.begin(), candidates_.end(), less);
    taken_.push_back(candidates_.back());
    candidates_.pop_back();
  }
  return taken_[rank];
}

int32_t Sampler::draw(float greatest, double uniform) {
  double total = 0;
  taken_.clear();
  candidates_.clear();
  for (size_t i = 0; i < scores_.size(); ++i) {
    const double score = static_cast<double>(scores_[i]) - static_cast<double>(greatest);
    candidates_.push_back({static_cast<int32_t>(i), std::exp(score / static_cast<double>(sampling_.temperature))});
    total += candidates_.back().weight;
  }
  size_t count = scores_.size();
  if (sampling_.top_k > 0 && static_cast<size_t>(sampling_.top_k) < count) {
    count = static_cast<size_t>(sampling_.top_k);
    total = 0;
    for (size_t i = 0; i < count; ++i) total += likeliest(i).weight;
  }
  if (sampling_.top_p < 1 || sampling_.min_p > 0) {
    const double enough = static_cast<double>(sampling_.top_p) * total;
    size_t kept = 0;
    for (total = 0; kept < count && (kept == 0 || total < enough); ++kept) {
      if (likeliest(kept).weight < static_cast<double>(sampling_.min_p)) break;
      total += likeliest(kept).weight;
    }
    count = kept;
  }
  double left = uniform * total;
  size_t drawn = 0;
  for (size_t i = 0; i < count && likeliest(i).weight > 0; ++i) {
    drawn = i;
    left -= likeliest(i).weight;
    if (left < 0) break;
  }
  // Rounding may leave a rest after the last candidate. It belongs to the last one with a probability above 0.
  return likeliest(drawn).token;
}

}  // namespace tinyllm
