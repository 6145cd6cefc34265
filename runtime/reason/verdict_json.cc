#include <tinyllm/runtime/reason/verdict_json.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tinyllm {
namespace {

using Json = nlohmann::ordered_json;

Json answer_json(const Ballot& ballot) { return ballot.has_answer() ? Json(shown(ballot.answer)) : Json(); }

Json chain_json(const Ballot& ballot) {
  Json equations = Json::array(), corrections = Json::array();
  for (const Equation& equation : ballot.false_equations) {
    const size_t begin = equation.sides.front().begin;
    equations.push_back(ballot.text.substr(begin, equation.sides.back().end - begin));
  }
  for (const Correction& one : ballot.corrections) {
    corrections.push_back({{"before", one.before}, {"after", one.after}, {"why", name_of(one.why)}});
  }
  return {{"text", ballot.text},
          {"answer", answer_json(ballot)},
          {"weight", ballot.weight},
          {"false_equations", std::move(equations)},
          {"corrections", std::move(corrections)},
          {"is_cut_off", ballot.is_cut_off}};
}

}  // namespace

std::string verdict_json(const Verdict& verdict, std::span<const Ballot> ballots, bool with_chains) {
  std::vector<Candidate> candidates = verdict.candidates;
  std::ranges::stable_sort(candidates, std::greater(), [](const Candidate& one) { return one.chains.size(); });
  Json votes = Json::array();
  size_t voters = 0;
  for (const Candidate& candidate : candidates) {
    voters += candidate.chains.size();
    votes.push_back({{"answer", answer_json(ballots[candidate.chains[0]])},
                     {"count", candidate.chains.size()},
                     {"score", candidate.score}});
  }
  Json json = {{"samples", ballots.size()},      {"answer", answer_json(ballots[verdict.chain])},
               {"agreement", verdict.agreement}, {"tie", verdict.is_tie},
               {"chain", verdict.chain},         {"unparsed", ballots.size() - voters},
               {"votes", std::move(votes)}};
  if (with_chains) {
    json["chains"] = Json::array();
    for (const Ballot& ballot : ballots) json["chains"].push_back(chain_json(ballot));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tinyllm
