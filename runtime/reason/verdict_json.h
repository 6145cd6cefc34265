#pragma once

#include <tinyllm/runtime/reason/vote.h>

#include <span>
#include <string>

namespace tinyllm {

/// A verdict as an object of JSON:
///
///     {"samples": 5, "answer": "7", "agreement": 0.8, "tie": false, "chain": 0, "unparsed": 0,
///      "votes": [{"answer": "7", "count": 4, "score": 4.0}, {"answer": "8", "count": 1, "score": 0.1}]}
///
/// `answer` is null without one; `unparsed` counts the chains without an answer; votes are sorted by count. The answer
/// is the one with the highest score, and `agreement` the fraction of all chains that gave it: where false equations
/// decide, another one may have more votes and stand before it.
/// `with_chains` adds what each chain said:
///
///     "chains": [{"text": "3+4=8，答案：8", "answer": "8", "weight": 0.1, "false_equations": ["3+4=8"],
///                 "corrections": [{"before": "9", "after": "8", "why": "slip"}], "is_cut_off": false}]
std::string verdict_json(const Verdict& verdict, std::span<const Ballot> ballots, bool with_chains);

}  // namespace tinyllm
