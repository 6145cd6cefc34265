#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/verdict_json.h>
#include <tinyllm/runtime/reason/vote.h>

#include "error_of.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace tinyllm::test {
namespace {

std::vector<Ballot> ballots_of(const std::vector<SampledChain>& chains, const VoteRules& rules = {},
                               const std::string& question = {}) {
  std::vector<Ballot> ballots;
  for (const SampledChain& chain : chains) ballots.push_back(ballot_of(question, chain, rules));
  return ballots;
}

std::vector<Ballot> answers(const std::vector<std::string>& said) {
  std::vector<SampledChain> chains;
  for (const std::string& text : said) chains.push_back({"【最终答案】\n答案：" + text + "。\n"});
  return ballots_of(chains);
}

// The chains of each candidate, without their order.
std::vector<std::set<size_t>> groups(const Verdict& verdict) {
  std::vector<std::set<size_t>> all;
  for (const Candidate& one : verdict.candidates) all.emplace_back(one.chains.begin(), one.chains.end());
  return all;
}

using Groups = std::vector<std::set<size_t>>;

}  // namespace

TEST_CASE("answers of one value are one answer, however they are written") {
  const Verdict verdict = count_votes(answers({"3/5", "7", "0.6", "60%", "六成"}));
  CHECK(groups(verdict) == Groups{{0, 2, 3, 4}, {1}});
  CHECK(verdict.chain == 0);
  CHECK(verdict.agreement == 0.8);
  CHECK_FALSE(verdict.is_tie);
  CHECK(verdict.candidates[0].score == 4);
}

TEST_CASE("a chain with false equations weighs less") {
  const std::vector<SampledChain> chains = {
      {"3+4=8。答案：8", false, -0.1}, {"1+1=3，3+4=8。答案：8", false, -0.1}, {"3+4=7。答案：7", false, -0.9}};
  const Verdict verdict = count_votes(ballots_of(chains));
  CHECK(verdict.chain == 2);
  CHECK(verdict.candidates[0].score == 1);
  CHECK(verdict.candidates[1].score == 0.11);
  CHECK(ballots_of(chains)[1].weight == 0.01);
  CHECK(verdict.agreement == doctest::Approx(1.0 / 3));

  SUBCASE("unless they are not checked") {
    const Verdict unchecked = count_votes(ballots_of(chains, {.false_equation_weight = 1}));
    CHECK(unchecked.candidates[0].chains == std::vector<size_t>{0, 1});
  }
  SUBCASE("and of one answer, the chain without them is shown") {
    CHECK(count_votes(ballots_of({chains[0], {"4*2=8。答案：8", false, -3}})).chain == 1);
  }
  SUBCASE("but not for those that follow the answer") {
    const Ballot ballot = ballot_of("", {"3+4=7。\n【最终答案】\n答案：7\nQuestion: 2+2=5?"});
    CHECK(ballot.weight == 1);
  }
}

TEST_CASE("a weight of 0 takes the vote of a chain with a false equation") {
  const Verdict verdict = count_votes(ballots_of({{"3+4=8。答案：8"}, {"答案：7"}}, {.false_equation_weight = 0}));
  CHECK(groups(verdict) == Groups{{1}, {0}});
  CHECK(verdict.candidates[1].score == 0);
}

TEST_CASE("a corrected chain votes with what it should have said") {
  const std::vector<SampledChain> chains = {{"3+4=8，8*2=16。答案：16"}, {"3+4=7，7*2=14。答案：14"}};
  const std::vector<Ballot> ballots = ballots_of(chains, {.corrects = true}, "3和4的和的两倍");
  CHECK(ballots[0].text == "3+4=7，7*2=14。答案：14");
  CHECK(ballots[0].corrections.size() == 4);
  CHECK(ballots[0].false_equations.empty());
  CHECK(count_votes(ballots).agreement == 1);
  CHECK(ballots_of(chains)[0].corrections.empty());
}

TEST_CASE("a tie is told, and goes to the likelier chain, then to the first") {
  for (const auto& [first, second, winner] :
       std::vector<std::tuple<double, double, size_t>>{{-0.5, -0.4, 1}, {-0.4, -0.5, 0}, {-0.5, -0.5, 0}}) {
    const Verdict verdict = count_votes(ballots_of({{"答案：1", false, first}, {"答案：2", false, second}}));
    CHECK(verdict.is_tie);
    CHECK(verdict.chain == winner);
    CHECK(verdict.agreement == 0.5);
  }
  // One tenth for each of ten chains is one vote.
  std::vector<SampledChain> chains(10, {"3+4=8。答案：8", false, -2});
  chains.push_back({"答案：7", false, -1});
  const Verdict verdict = count_votes(ballots_of(chains));
  CHECK(verdict.is_tie);
  CHECK(verdict.chain == 10);
}

TEST_CASE("a unit or a name that an answer lacks is forgiven, but those that differ are not") {
  CHECK(groups(count_votes(answers({"5", "5厘米", "0.05米", "5厘米"}))) == Groups{{1, 2, 3}, {0}});
  CHECK(groups(count_votes(answers({"5", "5厘米", "5厘米"}))) == Groups{{0, 1, 2}});
  CHECK(groups(count_votes(answers({"小明多22个", "22", "小红多22个"}))) == Groups{{0, 1}, {2}});
  // 5 goes with the kilograms, which have more votes, wherever it stands.
  CHECK(groups(count_votes(answers({"5", "5厘米", "5千克", "5千克"}))) == Groups{{0, 2, 3}, {1}});
  CHECK(groups(count_votes(answers({"5厘米", "5", "5千克", "5千克"}))) == Groups{{1, 2, 3}, {0}});
}

TEST_CASE("the order of the chains does not change who votes together") {
  std::vector<std::string> said = {"5", "5厘米", "5千克", "5千克", "小明多5厘米", "7", "5", "无解"};
  std::sort(said.begin(), said.end());
  const auto texts = [&] {
    const std::vector<Ballot> ballots = answers(said);
    std::set<std::multiset<std::string>> all;
    for (const Candidate& candidate : count_votes(ballots).candidates) {
      std::multiset<std::string> one;
      for (const size_t chain : candidate.chains) one.insert(ballots[chain].answer.said);
      all.insert(one);
    }
    return all;
  };
  const auto first = texts();
  CHECK(first.size() == 4);
  do {
    if (texts() != first) FAIL("another grouping");
  } while (std::next_permutation(said.begin(), said.end()));
}

TEST_CASE("a chain that was cut off has an answer only if more follows it") {
  const auto has_answer = [](const std::string& text) { return ballot_of("", {text, true}).has_answer(); };
  CHECK_FALSE(has_answer("3+4=7。7*2=1"));
  CHECK_FALSE(has_answer("12"));
  CHECK_FALSE(has_answer("【最终答案】\n答案：12"));
  CHECK_FALSE(has_answer("【最终答案】\n答案：12 "));
  CHECK_FALSE(has_answer("#### 12."));
  CHECK_FALSE(has_answer("<think>答案：12\n"));
  CHECK_FALSE(has_answer("【推理过程】\n单价的答案是6。再乘以7得"));
  CHECK(has_answer("【推理过程】\n单价的答案是6。\n【最终答案】\n答案：42。\n"));
  CHECK(has_answer("【最终答案】\n答案：12。"));
  CHECK(has_answer("#### 12\nQuestion: "));
  CHECK(has_answer("\\boxed{12}"));
  CHECK(ballot_of("", {"3+4=7。7*2=14"}).has_answer());
}

TEST_CASE("the thinking of a model is checked, and its answer stands after it") {
  const Ballot ballot = ballot_of("", {"<think>\n3+4=8? 答案：8\n</think>\n\nThe answer is 7."});
  CHECK(ballot.answer.value() == Rational(7));
  CHECK(ballot.false_equations.size() == 1);
  CHECK(ballot.weight == 0.1);
}

TEST_CASE("without an answer the likeliest chain is shown, and nothing is agreed") {
  const std::vector<SampledChain> chains = {
      {"", false}, {"<think>3+4", false, -0.7}, {"3+4=", true, -0.2}, {" ", false, -0.2}};
  const Verdict verdict = count_votes(ballots_of(chains));
  CHECK(verdict.candidates.empty());
  CHECK(verdict.chain == 2);
  CHECK(verdict.agreement == 0);
  CHECK_FALSE(verdict.is_tie);
  CHECK_FALSE(is_decided(verdict, 1));
  CHECK(is_decided(verdict, 0));
  CHECK(count_votes(ballots_of({{""}})).chain == 0);
  // Those without an answer do not agree with it.
  CHECK(count_votes(ballots_of({{""}, {"答案：7"}})).agreement == 0.5);
}

TEST_CASE("nothing that a chain says is an error") {
  for (const std::string& text : {std::string(100'000, '('), std::string("\0\xff=\xfe", 4),
                                  std::string("1/0=1/0。答案：1/0"), std::string("【最终答案】\n")}) {
    CHECK(count_votes(ballots_of({{text}, {text}}, {.corrects = true}, text)).chain <= 1);
  }
  CHECK(error_of([] { count_votes({}); }) == "vote: no chains, expected at least 1");
  CHECK(error_of([] { ballot_of("", {"1"}, {.false_equation_weight = 1.5}); }) ==
        "vote: false_equation_weight 1.5, expected 0 to 1");
}

TEST_CASE("chains that cannot change the verdict need not be sampled") {
  const auto votes = [](const std::vector<double>& scores) {
    Verdict verdict;
    for (const double score : scores) verdict.candidates.push_back({score, {}});
    return verdict;
  };
  // Exactly: the lead is greater than what is left.
  CHECK(is_decided(votes({3, 1}), 1, 1));
  CHECK_FALSE(is_decided(votes({3, 1}), 2, 1));
  CHECK_FALSE(is_decided(votes({100}), 100, 1));
  // With confidence, of which the values are those of the beta distribution: 15/16, 57/64, 31/32, 247/256.
  CHECK(is_decided(votes({3}), 100, 15.0 / 16 - 1e-12));
  CHECK_FALSE(is_decided(votes({3}), 100, 15.0 / 16 + 1e-12));
  CHECK(is_decided(votes({4, 1}), 100, 57.0 / 64 - 1e-12));
  CHECK_FALSE(is_decided(votes({4, 1}), 100, 57.0 / 64 + 1e-12));
  CHECK(is_decided(votes({4}), 100, 31.0 / 32 - 1e-12));
  CHECK(is_decided(votes({6, 1}), 100, 247.0 / 256 - 1e-12));
  CHECK_FALSE(is_decided(votes({6, 1}), 100, 247.0 / 256 + 1e-12));
  CHECK_FALSE(is_decided(votes({2, 2}), 100, 0.5));
  // Parts of a vote do not count as votes.
  CHECK_FALSE(is_decided(votes({2.9}), 100));
  CHECK_FALSE(is_decided(votes({4, 0.1}), 100, 0.95));
  CHECK(is_decided(votes({4}), 100, 0.95));
  CHECK(is_decided(votes({3000, 10}), 1'000'000, 0.999));
}

TEST_CASE("an answer is shown without what only leads to it") {
  const auto shown_of = [](const std::string& said) { return shown(answer_of(said)); };
  CHECK(shown_of("【最终答案】\n答案：3/5。\n") == "3/5");
  CHECK(shown_of("【最终答案】\n答案是小明多22个。") == "小明多22个");
  CHECK(shown_of("3+4=7") == "7");
  CHECK(shown_of("答案：x=2或x=3") == "x=2或x=3");
  CHECK(shown_of("所以") == "所以");
  CHECK(shown_of("The answer is **60%**.") == "60%");
  CHECK(shown_of("Each of the 12 children gets 3 apples, and so they have 4.50 apples in all, as I said.") == "4.5");
  CHECK(shown(normal_answer(std::string(5000, 'a'))) == std::string(100, 'a') + "…");
  CHECK(shown({}).empty());
}

TEST_CASE("a verdict in JSON") {
  const std::vector<Ballot> ballots =
      ballots_of({{"3+4=8。答案：8"}, {"4+4=8，3+4=8。答案：8"}, {"答案：7"}, {"7*", true}});
  const auto json = nlohmann::json::parse(verdict_json(count_votes(ballots), ballots, true));
  // By count, though the one vote for 7 weighs more.
  CHECK(json["votes"] == nlohmann::json::parse(R"([{"answer": "8", "count": 2, "score": 0.2},
                                                   {"answer": "7", "count": 1, "score": 1.0}])"));
  CHECK(json["answer"] == "7");
  CHECK(json["chain"] == 2);
  CHECK(json["samples"] == 4);
  CHECK(json["unparsed"] == 1);
  CHECK(json["agreement"] == 0.25);
  CHECK(json["tie"] == false);
  CHECK(json["chains"][1]["false_equations"] == nlohmann::json::parse(R"(["3+4=8"])"));
  CHECK(json["chains"][3] ==
        nlohmann::json::parse(R"({"text": "7*", "answer": null, "weight": 0.0, "false_equations": [],
                                                       "corrections": [], "is_cut_off": true})"));
  CHECK(nlohmann::json::parse(verdict_json(count_votes(ballots), ballots, false)).contains("chains") == false);

  const std::vector<Ballot> corrected = ballots_of({{"3+4=8。答案：8"}}, {.corrects = true});
  CHECK(nlohmann::json::parse(verdict_json(count_votes(corrected), corrected, true))["chains"][0]["corrections"] ==
        nlohmann::json::parse(
            R"([{"before": "8", "after": "7", "why": "slip"}, {"before": "8", "after": "7", "why": "answer"}])"));
  const std::vector<Ballot> none = ballots_of({{"\xff"}, {""}});
  CHECK(nlohmann::json::parse(verdict_json(count_votes({&none[1], 1}), {&none[1], 1}, true))["answer"].is_null());
  CHECK(nlohmann::json::parse(verdict_json(count_votes(none), none, true))["votes"].size() == 1);
}

}  // namespace tinyllm::test
