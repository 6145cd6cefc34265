#include <tinyllm/runtime/serve/chain_vote.h>

#include <tinyllm/runtime/reason/verdict_json.h>

#include <algorithm>

namespace tinyllm {

ChainVote::Chain& ChainVote::chain(size_t choice) {
  chains_.resize(std::max(chains_.size(), choice + 1));
  return chains_[choice];
}

void ChainVote::add(AnswerPart&& part) {
  AnswerPart& known = chain(part.choice).part;
  known.reasoning += part.reasoning;
  known.answer += part.answer;
}

void ChainVote::end(AnswerEnd&& end, const SampledChain& said) {
  ++ended_;
  completion_tokens_ += end.completion_tokens;
  reasoning_tokens_ += end.reasoning_tokens;
  if (end.choice > 0) computed_again_ += end.prompt_tokens - end.cached_tokens;
  const size_t choice = end.choice;
  chain(choice).end = std::move(end);
  const AnswerEnd& ended = chains_[choice].end;
  if (ended.reason == AnswerEnd::Reason::failed || ended.reason == AnswerEnd::Reason::cancelled) {
    // That others were cancelled because one has failed is not the failure.
    if (!failure_) failure_ = ended;
  } else if (!failure_) {
    poll_.add(choice, said);
  }
}

ChainVote::Result ChainVote::result() {
  Result result;
  if (failure_) {
    result.end = *failure_;
  } else {
    const Verdict verdict = poll_.verdict();
    result.part = std::move(chain(verdict.chain).part);
    result.end = std::move(chain(verdict.chain).end);
    result.end.verdict = verdict_json(verdict, poll_.ballots(), vote_.returns_chains);
  }
  result.part.choice = result.end.choice = 0;
  result.end.completion_tokens = completion_tokens_;
  result.end.reasoning_tokens = reasoning_tokens_;
  result.end.cached_tokens = chain(0).end.cached_tokens;
  result.end.computed_again = computed_again_;
  return result;
}

}  // namespace tinyllm
