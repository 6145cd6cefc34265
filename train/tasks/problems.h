#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tinyllm {

/// A made-up problem with its reasoning and its computed answer.
struct Problem {
  std::string kind;  ///< expression, balls, rate, comparison, story, and the English ones.
  std::string system;
  std::string question;
  std::string cot;
  std::string final;
};

/// Problems of arithmetic and everyday reasoning, in Chinese and some English. What is asked is drawn from (seed,
/// index); the wording and the numbers make a problem's key, whose hash decides whether it is for validation (one in
/// ten): a validation problem is never made for training, whatever the seed.
enum class Split : uint8_t { train, validation };
Problem make_problem(uint64_t seed, uint64_t index, Split split);
std::vector<Problem> make_problems(uint64_t seed, int64_t count, Split split);

/// The problem as running text, for pretraining.
std::string as_text(const Problem& problem);

/// A line to practise the steps of the problems. It is either a dozen sums, differences, products and quotients
/// (47-19=28 7*8=56 ...), or counts of some things, repeated in other orders.
std::string practice(uint64_t seed, uint64_t index);

}  // namespace tinyllm
