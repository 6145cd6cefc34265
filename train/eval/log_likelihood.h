#pragma once

#include <tinyllm/runtime/session.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tinyllm::eval {

/// Several continuations of one text, as tokens: each is `context` followed by one of `endings`. An ending may be
/// empty.
struct Continuations {
  std::vector<int32_t> context;
  std::vector<std::vector<int32_t>> endings;
};

/// Separates what all texts begin with from their ends. Each text is a context with an ending, encoded as a whole,
/// since a token may span both. The context is what all texts and `context`, the tokens of the context alone, begin
/// with, but always leaves a token to score: the endings of one question are scored from the same token on. If a text
/// has more than `most` tokens, all lose their first ones.
Continuations split_continuations(std::span<const int32_t> context, std::vector<std::vector<int32_t>> texts,
                                  int64_t most);

/// Computes log-likelihoods of continuations, many at once. A context is computed once for all its endings, and what it
/// shares with the previous one is not computed again.
class LogLikelihoods {
 public:
  /// `session` must outlive it, and nothing else may use it meanwhile.
  explicit LogLikelihoods(Session& session) : session_(session) {}

  /// The most tokens of a context with an ending.
  int64_t longest() const { return session_.context(); }

  /// For each ending the sum of the natural logarithms of its tokens' probabilities. A function of the continuations
  /// alone, to the bit: not of what is computed with them. Throws Error on an empty context, and when one alone does
  /// not fit into the session.
  std::vector<std::vector<double>> of(std::span<const Continuations> all);

 private:
  void compute(std::span<const Continuations> all, std::span<std::vector<double>> sums);
  void compute_one_by_one(const Continuations& one, std::vector<double>& sums);
  Sequence begun(std::span<const int32_t> context);

  Session& session_;
  std::vector<Sequence> kept_;  // The last context, or none.
};

}  // namespace tinyllm::eval
