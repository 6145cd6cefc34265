#include <tinyllm/runtime/serve/reasoning_fields.h>

#include <tinyllm/runtime/serve/ordered_field.h>

namespace tinyllm {
namespace {

constexpr const char* kVote = "self_consistency";

}  // namespace

void read_vote(const Fields& fields, Ask& ask) {
  const Json* given = fields.find(kVote);
  if (given == nullptr) return;
  const Fields vote(kSelfConsistency, *given, kVote);
  const PollOptions poll{.chains = vote.whole("samples"), .confidence = vote.number("confidence")};
  if (fields.whole("n") > 1) refuse_value(kVote, "does not go together with n above 1");
  if (fields.flag("logprobs")) refuse_value(kVote, "does not go together with logprobs");
  if (ask.calls) refuse_value(kVote, "does not go together with tools");
  if (poll.chains > 1 && ask.job.options.sampling.temperature == 0) {
    refuse_value(kVote, "temperature is 0, which makes all samples the same, expected more");
  }
  ask.job.vote = {poll, vote.flag("return_chains")};
}

void set_calculator(const Engine& engine, Job& job) {
  if (job.options.constraint) refuse_value("calculator", "does not go together with a response_format or tools");
  job.calculator = &engine.calculator();
  job.options.constraint = job.calculator->make(job.choices.at(0).begun);
}

}  // namespace tinyllm
