#pragma once

#include <tinyllm/tensor/base/interval.h>

#include <cstdint>
#include <span>

// How sure a measured rate is, and whether two runs over the same questions differ.
namespace tinyllm::eval {

/// McNemar's exact test of two runs over the same questions, of which `only_a` were right in the first one alone and
/// `only_b` in the second alone: the probability, two-sided, of a difference at least as large if neither is better,
/// min(1, 2 P(Binomial(only_a + only_b, 1/2) <= min(only_a, only_b))). Source: McNemar, "Note on the Sampling Error of
/// the Difference Between Correlated Proportions or Percentages", 1947, without its approximation.
double mcnemar(int64_t only_a, int64_t only_b);

/// The interval of the mean by the percentile bootstrap: of 2000 means of as many values, drawn with replacement, the
/// central 95 %. Values of one cluster are drawn together, since questions of one kind stand or fall together;
/// `clusters` has a number from 0 for each value, or is empty: each value is one of its own. Give it the differences of
/// two runs for the paired bootstrap. A function of its arguments alone. Source: Efron, "Bootstrap Methods: Another
/// Look at the Jackknife", 1979. Throws Error when there are no values.
Interval bootstrap_mean(std::span<const double> values, std::span<const size_t> clusters = {}, uint64_t seed = 1);

/// The probability that at least one of k chains is right, estimated without bias from n chains of which `right` are:
/// 1 - C(n - right, k) / C(n, k). Source: Chen et al., "Evaluating Large Language Models Trained on Code", 2021. Throws
/// Error unless 1 <= k <= n and 0 <= right <= n.
double pass_at_k(int64_t n, int64_t right, int64_t k);

}  // namespace tinyllm::eval
