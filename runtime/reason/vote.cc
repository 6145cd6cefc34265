#include <tinyllm/runtime/reason/vote.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinyllm {
namespace {

bool are_same(const NormalAnswer& a, const NormalAnswer& b) { return same_answer(a, b) || same_answer(b, a); }

// How much of what another answer may leave open this one says.
int said_by(const NormalAnswer& answer) { return !answer.unit.meanings.empty() + !answer.names.empty(); }

double rounded(double weight) { return std::round(weight * 1e9) / 1e9; }

// Rounded, and added in order of size: the order of the chains changes nothing, and ten tenths are one.
double score_of(std::vector<double> weights) {
  std::ranges::sort(weights);
  return rounded(std::accumulate(weights.begin(), weights.end(), 0.0));
}

class Count {
 public:
  explicit Count(std::span<const Ballot> ballots) : ballots_(ballots) {}

  Verdict run() {
    std::vector<size_t> chains(ballots_.size());
    std::iota(chains.begin(), chains.end(), size_t{0});
    std::ranges::stable_sort(chains, std::greater(), [&](size_t i) { return said_by(ballots_[i].answer); });
    for (const size_t chain : chains) {
      if (ballots_[chain].has_answer()) add(chain);
    }
    const auto is_better = [&](size_t a, size_t b) { return this->is_better(a, b); };
    for (Candidate& candidate : verdict_.candidates) std::ranges::sort(candidate.chains, is_better);
    std::ranges::sort(verdict_.candidates, [&](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : is_likelier(a.chains[0], b.chains[0]);
    });
    decide();
    return std::move(verdict_);
  }

 private:
  void add(size_t chain) {
    const auto is_same = [&](size_t other) { return are_same(ballots_[chain].answer, ballots_[other].answer); };
    Candidate* best = nullptr;
    for (Candidate& candidate : verdict_.candidates) {
      if (best != nullptr && candidate.score <= best->score) continue;
      if (std::ranges::all_of(candidate.chains, is_same)) best = &candidate;
    }
    if (best == nullptr) best = &verdict_.candidates.emplace_back();
    best->chains.push_back(chain);
    std::vector<double> weights;
    for (const size_t i : best->chains) weights.push_back(ballots_[i].weight);
    best->score = score_of(std::move(weights));
  }

  bool is_likelier(size_t a, size_t b) const {
    const double left = ballots_[a].mean_log_prob, right = ballots_[b].mean_log_prob;
    return left != right ? left > right : a < b;
  }
  bool is_better(size_t a, size_t b) const {
    return ballots_[a].weight != ballots_[b].weight ? ballots_[a].weight > ballots_[b].weight : is_likelier(a, b);
  }

  void decide() {
    const std::vector<Candidate>& candidates = verdict_.candidates;
    if (candidates.empty()) {
      for (size_t i = 1; i < ballots_.size(); ++i) {
        if (is_likelier(i, verdict_.chain)) verdict_.chain = i;
      }
      return;
    }
    verdict_.chain = candidates[0].chains[0];
    verdict_.agreement = static_cast<double>(candidates[0].chains.size()) / static_cast<double>(ballots_.size());
    verdict_.is_tie = candidates.size() > 1 && candidates[0].score == candidates[1].score;
  }

  std::span<const Ballot> ballots_;
  Verdict verdict_;
};

// Whether an answer is whole in a text that was cut off: it is marked, and something follows it.
bool is_whole(const ExtractedAnswer& found, std::string_view text) {
  const size_t reasoning = text.rfind("【推理过程】");
  if (reasoning != text.npos && text.find("【最终答案】", reasoning) == text.npos) return false;  // It never ended.
  if (found.marker == AnswerMarker::whole || found.marker == AnswerMarker::fallback) return false;
  while (text.ends_with(' ')) text.remove_suffix(1);
  return found.text.data() + found.text.size() < text.data() + text.size();
}

// P(Beta(a + 1, b + 1) > 1/2) of whole a and b: P(Binomial(n, 1/2) <= a) with n = a + b + 1.
double probability_of_lead(int64_t a, int64_t b) {
  const auto n = static_cast<double>(a + b + 1);
  double log_term = -n * std::log(2);  // Of n over k times 2^-n.
  double sum = std::exp(log_term);
  for (double k = 1; k <= static_cast<double>(a); ++k) {
    log_term += std::log((n - k + 1) / k);
    sum += std::exp(log_term);
  }
  return sum;
}

}  // namespace

void check(const VoteRules& rules) {
  if (rules.false_equation_weight >= 0 && rules.false_equation_weight <= 1) return;
  throw Error("vote: false_equation_weight {}, expected 0 to 1", rules.false_equation_weight);
}

Ballot ballot_of(std::string_view question, const SampledChain& chain, const VoteRules& rules) {
  check(rules);
  Ballot ballot;
  ballot.text = chain.text;
  ballot.is_cut_off = chain.is_cut_off;
  ballot.mean_log_prob = chain.mean_log_prob;
  if (rules.corrects) {
    CorrectedChain corrected = corrected_chain(question, chain.text);
    ballot.text = std::move(corrected.text);
    ballot.corrections = std::move(corrected.corrections);
  }
  const std::string_view text = ballot.text;
  const ExtractedAnswer found = extract_answer(text);
  if (found.marker == AnswerMarker::none || (chain.is_cut_off && !is_whole(found, text))) return ballot;
  ballot.answer = answer_of(text);
  ballot.marker = found.marker;
  if (!ballot.has_answer()) return ballot;
  if (rules.false_equation_weight < 1) {
    const auto end = static_cast<size_t>(found.text.data() + found.text.size() - text.data());
    for (Equation& equation : equations_in(text.substr(0, end))) {
      if (!equation.holds()) ballot.false_equations.push_back(std::move(equation));
    }
  }
  ballot.weight = rounded(std::pow(rules.false_equation_weight, static_cast<double>(ballot.false_equations.size())));
  return ballot;
}

Verdict count_votes(std::span<const Ballot> ballots) {
  if (ballots.empty()) throw Error("vote: no chains, expected at least 1");
  return Count(ballots).run();
}

bool is_decided(const Verdict& verdict, int64_t left, double confidence) {
  if (left <= 0) return true;
  if (verdict.candidates.empty()) return false;
  const double first = verdict.candidates[0].score;
  const double second = verdict.candidates.size() > 1 ? verdict.candidates[1].score : 0;
  if (first - second > static_cast<double>(left)) return true;
  // Parts of a vote count for nobody but the second.
  const auto votes = static_cast<int64_t>(std::floor(first)), against = static_cast<int64_t>(std::ceil(second));
  return confidence < 1 && votes > against && probability_of_lead(votes, against) >= confidence;
}

}  // namespace tinyllm
