#include <doctest/doctest.h>

#include <tinyllm/train/eval/answers.h>

#include "runtime/model_to_ask.h"

#include <algorithm>

namespace tinyllm::eval::test {

using namespace tinyllm::test;

namespace {

const Question kSum{.kind = "sums", .text = "3个加4个，再乘2，是多少？", .answer = "14", .solution = "14"};

std::map<std::string, double> scores_of(const std::string& said, bool is_cut_off = false) {
  return score_answers(kSum, {.greedy = {.text = said, .is_cut_off = is_cut_off}}).scores;
}

// An answer in our template.
std::string in_template(const std::string& steps, const std::string& answer) {
  return "【推理过程】\n" + steps + "\n【最终答案】\n答案：" + answer + "。\n";
}

}  // namespace

TEST_CASE("strict, lenient, and the template are apart") {
  auto scores = scores_of(in_template("3+4=7。7*2=14。", "14个"));
  for (const char* name : {"greedy", "greedy_strict", "greedy_checked", "greedy_corrected", "template", "equations"}) {
    CAPTURE(name);
    CHECK(scores.at(name) == 1);
  }
  scores = scores_of("先算3+4=7，再算7*2=14");  // Without a marker: the last number.
  CHECK(scores.at("greedy") == 1);
  CHECK(scores.at("greedy_strict") == 0);
  CHECK(scores.at("template") == 0);
  scores = scores_of("3+4=7\n7*2=14\n#### 14");
  CHECK(scores.at("greedy_strict") == 1);
  CHECK(scores.at("template") == 0);
  scores = scores_of(in_template("3+4=7。7*2=14。", "15"));
  CHECK(scores.at("greedy") == 0);
  CHECK(scores.at("greedy_strict") == 0);
  CHECK(scores.at("greedy_checked") == 0);
  CHECK(scores.at("template") == 1);
}

TEST_CASE("an empty chain, one without an answer and one that was cut off are wrong") {
  for (const char* said : {"", "  \n", "【推理过程】", "我不知道", "【推理过程】\n\n【最终答案】\n"}) {
    CAPTURE(said);
    const auto scores = scores_of(said);
    CHECK(scores.at("greedy") == 0);
    CHECK(scores.at("greedy_corrected") == 0);
    CHECK(scores.at("template") == 0);
    CHECK_FALSE(scores.contains("equations"));
  }
  CHECK_FALSE(scores_of("").contains("greedy_checked"));  // There is no answer to check.
  const auto scores = scores_of("先算3+4=7，再算7*2=14", true);
  CHECK(scores.at("greedy") == 0);
  CHECK(scores_of(in_template("7*2=14", "14"), true).at("template") == 0);
}

TEST_CASE("the calculator checks and corrects") {
  const auto scores = scores_of(in_template("3+4=8。8*2=16。", "16"));
  CHECK(scores.at("greedy") == 0);
  CHECK(scores.at("equations") == 0);
  CHECK(scores.at("greedy_corrected") == 1);
  CHECK_FALSE(scores.contains("greedy_checked"));
}

TEST_CASE("the first 3, 5 and 7 chains vote") {
  const std::string right = in_template("3+4=7。7*2=14。", "14"), slip = in_template("3+4=8。8*2=16。", "16"),
                    other = in_template("3*4=12。", "12");
  Answers answers;
  const auto add = [&](const std::string& said) { answers.chains.push_back({.text = said, .mean_log_prob = -1}); };
  for (const std::string& said : {slip, right, slip, other, right}) add(said);
  auto scores = score_answers(kSum, answers).scores;
  CHECK(scores.at("sampled") == doctest::Approx(0.4));
  CHECK(scores.at("vote_3") == 0);                     // 16 twice.
  CHECK(scores.at("vote_3_checked") == 1);             // 16 weighs 0.2.
  CHECK(scores.at("vote_3_corrected") == 1);           // All three become 14.
  CHECK(scores.at("pass_3") == doctest::Approx(0.9));  // One of the ten draws of three has no right one.
  CHECK(scores.contains("vote_5"));
  CHECK_FALSE(scores.contains("vote_7"));
  add(right);
  add("");
  scores = score_answers(kSum, answers).scores;
  CHECK(scores.at("vote_7") == 1);  // 14 three times, 16 twice.
  CHECK(scores.at("pass_7") == 1);
  CHECK_FALSE(scores.contains("forced"));
  scores = score_answers(kSum, answers, &answers).scores;
  CHECK(scores.at("forced_vote_7") == 1);
  CHECK(scores.at("forced") == 0);
  Answers silent{.chains = std::vector<SampledChain>(3)};
  CHECK(score_answers(kSum, silent).scores.at("vote_3") == 0);
}

TEST_CASE("answers depend on the question alone: not on its neighbours, on the threads, or on the number of chains") {
  const Model model = model_to_ask(200);
  QuestionSet set{.name = "some"};
  for (int i = 0; i < 6; ++i) {
    set.questions.push_back({.text = "第" + std::to_string(i) + "题：计算 7 + 35 等于多少？", .answer = "42"});
  }
  set.questions.push_back({.text = std::string(2000, 'x'), .answer = "42"});  // Does not fit.
  const auto run = [&](std::vector<size_t> questions, int64_t sequences, int threads, int64_t chains) {
    Session session(model, {.sequences = sequences, .cache_type = f32, .pool = ThreadPool(threads)});
    std::map<size_t, Result> results;
    const OnAnswers on{.result = [&](Result result) { results[result.question] = std::move(result); }};
    ask(session, set, questions, {.max_tokens = 12, .chains = chains, .forces = true}, on);
    return results;
  };
  const auto all = run({0, 1, 2, 3, 4, 5, 6}, 8, 2, 5);
  REQUIRE(all.size() == 7);
  CHECK(all.at(6).scores.at("greedy") == 0);
  CHECK(all.at(6).detail == R"({"does_not_fit":true})");
  for (const size_t i : std::vector<size_t>{0, 3, 5, 6}) {
    const Result alone = run({i}, 1, 1, 5).at(i);
    CHECK(alone.detail == all.at(i).detail);
    CHECK(alone.scores == all.at(i).scores);
  }
  // The first chains are the same chains.
  const std::string few = run({3}, 1, 1, 3).at(3).detail, many = all.at(3).detail;
  const auto chains_of = [](const std::string& detail) {
    const size_t at = detail.find("\"chains\":[");
    return detail.substr(at, detail.find(']', at) - at);
  };
  CHECK(chains_of(many).starts_with(chains_of(few)));
  CHECK(chains_of(few).find("said") != std::string::npos);
}

TEST_CASE("asking stops when it is told to") {
  const Model model = model_to_ask(200);
  QuestionSet set{.name = "some"};
  for (int i = 0; i < 3; ++i) set.questions.push_back({.text = "计算 7 + 35", .answer = "42"});
  Session session(model, {.sequences = 1, .cache_type = f32, .pool = ThreadPool(1)});
  const std::vector<size_t> all = {0, 1, 2};
  int results = 0, passes = 0;
  const OnAnswers on{.result = [&](const Result&) { ++results; }, .pass = [&](int64_t) { return ++passes < 3; }};
  ask(session, set, all, {.max_tokens = 100}, on);
  CHECK(passes == 3);
  CHECK(results < 3);
}

}  // namespace tinyllm::eval::test
