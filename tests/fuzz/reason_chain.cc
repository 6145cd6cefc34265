// Any bytes as a question and a chain of thought: equations are parts of the chain, in order, and a chain without a
// false one stays as it is. Every chain with an answer votes once.
#include <tinyllm/runtime/reason/correction.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/runtime/reason/vote.h>

#include "fuzz/fuzz.h"

#include <algorithm>

void tinyllm::test::fuzz(std::string_view bytes) {
  const std::string_view question = bytes.substr(0, bytes.find('\n'));
  const std::string_view chain = bytes.substr(std::min(bytes.size(), question.size() + 1));
  size_t at = 0;
  bool all_hold = true;
  for (const Equation& equation : equations_in(chain)) {
    require(equation.sides.size() > 1);
    for (const EquationSide& side : equation.sides) {
      require(side.begin >= at && side.end > side.begin && side.end <= chain.size());
      at = side.end;
    }
    all_hold &= equation.holds();
  }
  const CorrectedChain corrected = corrected_chain(question, chain);
  if (all_hold) require(corrected.text == chain && corrected.corrections.empty());
  at = 0;
  for (const Correction& correction : corrected.corrections) {
    require(correction.begin >= at &&
            chain.substr(correction.begin, correction.end - correction.begin) == correction.before);
    at = correction.end;
  }
  const SampledChain whole{std::string(chain)}, cut{std::string(question), true};
  const Ballot ballots[] = {ballot_of(question, whole), ballot_of(question, whole, {.corrects = true}),
                            ballot_of(chain, cut)};
  const Verdict verdict = count_votes(ballots);
  require(verdict.chain < std::size(ballots));
  std::vector<size_t> voters;
  for (const Candidate& candidate : verdict.candidates) {
    require(candidate.score >= 0 && !candidate.chains.empty());
    std::ranges::copy(candidate.chains, std::back_inserter(voters));
  }
  std::ranges::sort(voters);
  std::vector<size_t> expected;
  for (size_t i = 0; i < std::size(ballots); ++i) {
    if (ballots[i].has_answer()) expected.push_back(i);
  }
  require(voters == expected);
}
