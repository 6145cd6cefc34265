#include <tinyllm/runtime/sampler.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

namespace tinyllm {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kLanes = 16;  // Of loops over the vocabulary, for the compiler to use vector instructions.

constexpr size_t kGroup = 256;  // Of weights that are added up, or compared, together.

// In an order that depends on the number of weights alone.
double sum(std::span<const float> weights) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= weights.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(weights[i + lane]);
  }
  double total = 0;
  for (; i < weights.size(); ++i) total += static_cast<double>(weights[i]);
  for (const double lane : lanes) total += lane;
  return total;
}

float greatest_of(std::span<const float> numbers) {
  float lanes[kLanes];
  std::ranges::fill(lanes, -kInfinity);
  size_t i = 0;
  for (; i + kLanes <= numbers.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = numbers[i + lane] > lanes[lane] ? numbers[i + lane] : lanes[lane];
    }
  }
  float greatest = -kInfinity;
  for (; i < numbers.size(); ++i) greatest = std::max(greatest, numbers[i]);
  for (const float lane : lanes) greatest = std::max(greatest, lane);
  return greatest;
}

// At most `most` elements, beginning with element `from`.
std::span<const float> part(std::span<const float> all, size_t from, size_t most) {
  return all.subspan(from, std::min(most, all.size() - from));
}

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
  weights_.resize(static_cast<size_t>(vocab_size));
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
  check_scores();
  for (size_t i = 0; allowed != nullptr && i < scores_.size(); ++i) {
    if (!(*allowed)[i]) scores_[i] = -kInfinity;
  }
  std::fill(scores_.begin() + tokens_, scores_.end(), -kInfinity);
  const float greatest = greatest_of(scores_);
  if (greatest == -kInfinity) {
    throw Error("sampler: the logits of all {}tokens are -inf", allowed == nullptr ? "" : "allowed ");
  }
  if (sampling_.temperature == 0) {
    return static_cast<int32_t>(std::ranges::find(scores_, greatest) - scores_.begin());
  }
  weigh(greatest);
  if (sampling_.top_k > 0) keep_likeliest(static_cast<size_t>(sampling_.top_k), kInfinity);
  if (sampling_.top_p < 1) keep_likeliest(weights_.size(), static_cast<double>(sampling_.top_p) * sum(weights_));
  if (sampling_.min_p > 0) keep_at_least(sampling_.min_p * greatest_of(weights_));
  return draw(Random(sampling_.seed, draws_++).uniform());
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

void Sampler::check_scores() const {
  bool is_fine = true;
  for (const float score : scores_) is_fine &= score <= std::numeric_limits<float>::max();
  for (size_t i = 0; !is_fine && i < scores_.size(); ++i) {
    if (std::isnan(scores_[i]) || scores_[i] == kInfinity) {
      throw Error("sampler: the logit of token {} is {}", i, scores_[i]);
    }
  }
}

void Sampler::weigh(float greatest) {
  constexpr double kLeast = -1000;  // Its exponential is 0.
  const double inverse = 1 / static_cast<double>(sampling_.temperature), shift = static_cast<double>(greatest);
  for (size_t i = 0; i < scores_.size(); ++i) {
    const double exponent = (static_cast<double>(scores_[i]) - shift) * inverse;
    weights_[i] = static_cast<float>(exponent < kLeast ? kLeast : exponent);
  }
  kernels::kernels().exp_scaled(std::ssize(weights_), weights_.data(), 0, 1, weights_.data());
}

// Keeps the fewest of the likeliest tokens that are `count`, or together weigh `enough`; all if none are.
void Sampler::keep_likeliest(size_t count, double enough) {
  // Weights of one bucket differ by 1/16 at most. Positive floats compare as their bits do.
  constexpr int kDropped = 19;
  const auto bucket_of = [](float weight) { return std::bit_cast<uint32_t>(weight) >> kDropped; };
  buckets_.assign(bucket_of(2), {});
  for (const float weight : weights_) {
    if (weight == 0) continue;
    Bucket& bucket = buckets_[bucket_of(weight)];
    ++bucket.count;
    bucket.weight += static_cast<double>(weight);
  }
  size_t last = buckets_.size();
  while (last-- > 0 && buckets_[last].count < count && buckets_[last].weight < enough) {
    count -= buckets_[last].count;
    enough -= buckets_[last].weight;
  }
  if (last >= buckets_.size()) return;
  candidates_.clear();
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (bucket_of(weights_[i]) == last) candidates_.push_back({static_cast<int32_t>(i), weights_[i]});
  }
  // Different scores may have equal weights, by rounding at a high temperature.
  const auto is_likelier = [&](const Candidate& a, const Candidate& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    const float left = scores_[static_cast<size_t>(a.token)], right = scores_[static_cast<size_t>(b.token)];
    return left != right ? left > right : a.token < b.token;
  };
  std::ranges::sort(candidates_, is_likelier);
  size_t kept = 0;
  for (; kept + 1 < std::min(count, candidates_.size()); ++kept) {
    enough -= static_cast<double>(candidates_[kept].weight);
    if (enough <= 0) break;
  }
  const Candidate least = candidates_[kept];
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (is_likelier(least, {static_cast<int32_t>(i), weights_[i]})) weights_[i] = 0;
  }
}

void Sampler::keep_at_least(float least) {
  for (float& weight : weights_) weight = weight >= least ? weight : 0;
}

int32_t Sampler::draw(double uniform) const {
  double total = 0;
  std::vector<double> sums;  // Of groups of weights.
  for (size_t i = 0; i < weights_.size(); i += kGroup) total += sums.emplace_back(sum(part(weights_, i, kGroup)));
  double left = uniform * total;
  // Rounding may leave a rest after the last group or token. It belongs to the last one with a weight.
  size_t drawn_group = 0;
  for (size_t group = 0; group < sums.size(); ++group) {
    if (sums[group] == 0) continue;
    drawn_group = group;
    if (left < sums[group]) break;
    left -= sums[group];
  }
  size_t drawn = 0;
  const std::span<const float> group = part(weights_, drawn_group * kGroup, kGroup);
  for (size_t i = 0; i < group.size(); ++i) {
    if (group[i] == 0) continue;
    drawn = drawn_group * kGroup + i;
    left -= static_cast<double>(group[i]);
    if (left < 0) break;
  }
  return static_cast<int32_t>(drawn);
}

}  // namespace tinyllm
