#include <tinyllm/runtime/reason/poll.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr int64_t kFirstWindow = 3, kNextWindow = 2;

}  // namespace

Poll::Poll(std::string question, const PollOptions& options) : question_(std::move(question)), options_(options) {
  if (options.chains < 1 || options.chains > kMaxChains) {
    throw Error("poll: {} chains, expected 1 to {}", options.chains, kMaxChains);
  }
  if (!(options.confidence > 0.5 && options.confidence <= 1)) {
    throw Error("poll: confidence {}, expected above 0.5 and at most 1", options.confidence);
  }
  check(options.rules);
  ballots_.resize(
      static_cast<size_t>(options.confidence == 1 ? options.chains : std::min(options.chains, kFirstWindow)));
}

const Ballot& Poll::add(size_t chain, const SampledChain& said) {
  ballots_.at(chain) = ballot_of(question_, said, options_.rules);
  if (++ended_ == ballots_.size()) {
    const int64_t left = options_.chains - std::ssize(ballots_);
    is_over_ = is_decided(verdict(), left, options_.confidence);
    if (!is_over_) ballots_.resize(ballots_.size() + static_cast<size_t>(std::min(left, kNextWindow)));
  }
  return ballots_[chain];
}

double mean_log_prob(const Completion& completion, const CalculatorConstraints* calculator, std::string_view begun) {
  const std::vector<bool> written =
      calculator != nullptr ? calculator->written(completion.tokens, begun) : std::vector<bool>();
  double sum = 0;
  size_t count = 0;
  const auto add = [&](const TokenLogProbs& token) {
    sum += token.log_prob;
    ++count;
  };
  for (size_t i = 0; i < completion.log_probs.size(); ++i) {
    if (written.empty() || !written[i]) add(completion.log_probs[i]);
  }
  if (completion.end_log_probs) add(*completion.end_log_probs);
  return count == 0 ? -std::numeric_limits<double>::infinity() : sum / static_cast<double>(count);
}

bool is_cut_off(FinishReason reason) {
  return reason != FinishReason::end_token && reason != FinishReason::stop_string;
}

}  // namespace tinyllm
