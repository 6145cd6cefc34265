#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/eval/report.h>

#include "error_of.h"
#include "temp_folder.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace tinyllm::eval::test {

using tinyllm::test::error_of;
using tinyllm::test::TempFolder;

namespace {

RunInfo some_info() {
  return {.model = "m",
          .settings = {{"weights", "0a"}, {"shots", "5"}},
          .sets = {{.name = "sums", .task = "answer", .questions = 4, .hash = 7},
                   {.name = "fruit", .task = "choice", .questions = 2, .hash = 8}}};
}

Result sum(size_t question, const char* kind, double greedy) {
  return {.question = question, .kind = kind, .scores = {{"greedy", greedy}}, .detail = R"({"said":"7 题"})"};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("results survive, a last line that was cut off does not, and another run is refused") {
  const TempFolder folder;
  {
    ResultsLog log(folder.path(), some_info());
    log.add(sum(2, "a", 1));
    log.add({.set = 1, .question = 0, .chance = 0.25, .scores = {{"letter", 1.0 / 3}}});
    CHECK(log.has(0, 2));
    CHECK_FALSE(log.has(0, 0));
  }
  const std::string whole = read_file(folder / kResultsFile);
  for (const size_t cut : {size_t{1}, size_t{20}, whole.size() - whole.rfind("{\"set\"")}) {
    write_file(folder / kResultsFile, std::string_view(whole).substr(0, whole.size() - cut));
    ResultsLog log(folder.path(), some_info());
    CHECK(log.has(0, 2));
    CHECK_FALSE(log.has(1, 0));
    log.add({.set = 1, .question = 0, .chance = 0.25, .scores = {{"letter", 1.0 / 3}}});
    CHECK(read_file(folder / kResultsFile) == whole);
  }
  ResultsLog again(folder.path(), some_info());
  REQUIRE(again.results().size() == 2);
  CHECK(again.results()[0].detail == R"({"said":"7 题"})");
  CHECK(again.results()[1].scores.at("letter") == 1.0 / 3);
  CHECK(again.results()[1].chance == 0.25);
  // A folder of which not even the first line was written is a new one.
  write_file(folder / kResultsFile, std::string_view(whole).substr(0, 30));
  CHECK(ResultsLog(folder.path(), some_info()).results().empty());

  RunInfo other = some_info();
  other.settings[1].second = "0";
  CHECK(has(error_of([&] { ResultsLog(folder.path(), other); }),
            "holds the results of another evaluation: shots is 0, was 5; remove it, or give another folder"));
  other = some_info();
  other.sets[0].hash = 9;
  CHECK(has(error_of([&] { ResultsLog(folder.path(), other); }), "the sets are sums (4 questions, 0000000000000009)"));
  other = some_info();
  other.model = "moved/m";
  CHECK(error_of([&] { ResultsLog(folder.path(), other); }) == "no error");
}

TEST_CASE("damaged results are refused, and say where") {
  const std::string header =
      R"({"evaluation":1,"model":"m","settings":{},"sets":[{"name":"s","task":"answer","questions":2,"hash":"0f","seen":0}]})"
      "\n";
  const auto refusal = [&](const std::string& text) { return error_of([&] { parse_run(text, "x"); }); };
  CHECK(refusal(header) == "no error");
  CHECK(refusal("") == "x: holds no results");
  CHECK(has(refusal("{}\n"), "x: line 1: "));
  CHECK(has(refusal(R"({"evaluation":2})"
                    "\n"),
            "field evaluation: is 2, expected 1"));
  const std::string one = R"({"set":0,"question":1,"scores":{"greedy":1},"detail":{}})"
                          "\n";
  CHECK(refusal(header + one) == "no error");
  CHECK(refusal(header + one + one) == "x: line 3: question 1 is there twice");
  CHECK(has(refusal(header + R"({"set":1,"question":1,"scores":{},"detail":{}})"
                             "\n"),
            "line 2: field set: 1, of 1"));
  CHECK(has(refusal(header + R"({"set":0,"question":2,"scores":{},"detail":{}})"
                             "\n"),
            "field question: 2, of 2"));
  CHECK(has(refusal(header + R"({"set":0,"question":0,"scores":{"greedy":"x"},"detail":{}})"
                             "\n"),
            "field greedy: is \"x\", expected a number of at most"));
  CHECK(has(refusal(header + "not json\n" + one), "line 2: "));
  CHECK(has(refusal(header + R"({"set":0,"question":0,"scores":{"greedy":1e30},"detail":{}})"
                             "\n"),
            "expected a number of at most"));
  std::string many = R"({"set":0,"question":0,"detail":{},"scores":{"s":1)";
  for (int i = 0; i < 1000; ++i) many += fmt::format(",\"{}\":1", i);
  CHECK(refusal(header + many + "}}\n") == "x: line 2: there are more than 1000 scores");
}

TEST_CASE("a summary has the rates with their intervals, by kind and against chance") {
  Run run{some_info(), {}};
  run.info.sets[0].questions = 14;
  run.results = {sum(0, "a", 1), sum(1, "a", 1), sum(2, "b", 0), sum(3, "b", 1)};
  for (size_t i = 0; i < 2; ++i) {
    run.results.push_back({.set = 1, .question = i, .chance = 0.25, .scores = {{"letter", double(i)}, {"text", 0.5}}});
  }
  const Summary summary = summarise(run);
  REQUIRE(summary.sets.size() == 2);
  const SetSummary& sums = summary.sets[0];
  REQUIRE(sums.metrics.size() == 1);
  CHECK(sums.metrics[0].value == 0.75);
  CHECK(sums.metrics[0].count == 4);
  CHECK(sums.metrics[0].interval.low == wilson(3, 4).low);
  CHECK(sums.over_kinds.empty());  // Of two kinds.
  CHECK(sums.kinds.at("b")[0].value == 0.5);
  CHECK(summary.sets[1].chance == 0.25);
  CHECK(summary.sets[1].over_kinds.empty());
  CHECK(summary.sets[1].metrics[1].interval.low == 0.5);  // Not 0 or 1: by the bootstrap.

  const nlohmann::json json = nlohmann::json::parse(as_json(summary));
  CHECK(json["sets"][0]["scores"]["greedy"]["value"] == 0.75);
  CHECK(json["sets"][1]["scores"]["letter"]["is_chance"] == true);
  CHECK(json["settings"]["shots"] == "5");
  const std::string table = as_table(summary);
  CHECK(has(table, "sums: 4 of 14 questions\n"));
  CHECK(has(table, "chance 25.0 %"));
  CHECK(has(table, "75.0 %"));
  // Five kinds of which one is all wrong: whole kinds are drawn, so the interval is wider than Wilson's of 40
  // questions.
  run.info.sets[0].questions = 40;
  run.results.clear();
  for (size_t i = 0; i < 40; ++i) run.results.push_back(sum(i, ("kind " + std::to_string(i % 5)).c_str(), i % 5 != 0));
  const SetSummary five = summarise(run).sets[0];
  REQUIRE(five.over_kinds.size() == 1);
  CHECK(five.over_kinds[0].low == doctest::Approx(0.4));
  CHECK(five.over_kinds[0].high == 1);
}

TEST_CASE("a text has its perplexity and bits per byte") {
  Run run{{.sets = {{.name = "t", .task = "text", .questions = 2, .hash = 1}}}, {}};
  run.results = {{.question = 0, .scores = {{"nats", 20}, {"tokens", 10}, {"bytes", 40}}},
                 {.question = 1, .scores = {{"nats", 10}, {"tokens", 20}, {"bytes", 20}}}};
  const SetSummary text = summarise(run).sets[0];
  CHECK(text.perplexity() == doctest::Approx(std::exp(1.0)));
  CHECK(text.bits_per_byte() == doctest::Approx(0.5 / std::log(2.0)));
  CHECK(nlohmann::json::parse(as_json(summarise(run)))["sets"][0]["tokens"] == 30);
  CHECK(compare(run, run)[0].metric == "bits_per_byte");
}

TEST_CASE("two runs are compared question by question") {
  Run a{some_info(), {}}, b{some_info(), {}};
  for (size_t i = 0; i < 4; ++i) a.results.push_back(sum(i, "a", i < 2));   // Right: 0, 1.
  for (size_t i = 1; i < 4; ++i) b.results.push_back(sum(i, "a", i >= 1));  // Right: 1, 2, 3; 0 is missing.
  b.info.sets = {b.info.sets[1], b.info.sets[0]};
  for (Result& result : b.results) result.set = 1;
  const std::vector<Difference> found = compare(a, b);
  REQUIRE(found.size() == 1);
  CHECK(found[0].set == "sums");
  CHECK(found[0].count == 3);
  CHECK(found[0].a == doctest::Approx(1 / 3.0));
  CHECK(found[0].b == doctest::Approx(1));
  CHECK(found[0].only_a == 0);
  CHECK(found[0].only_b == 2);
  CHECK(found[0].p == doctest::Approx(0.5));
  CHECK(found[0].interval.high == 1);
  CHECK(has(as_table(found, "a", "b"), "+66.7"));
  CHECK(nlohmann::json::parse(as_json(found, "a", "b"))["differences"][0]["only_b"] == 2);
  for (SetInfo& set : b.info.sets) set.hash += 70;
  CHECK(error_of([&] { compare(a, b); }) == "the two runs have no set of questions in common");
}

TEST_CASE("the scores of one run are compared with its first one") {
  Run run{some_info(), {}};
  for (size_t i = 0; i < 4; ++i) {
    Result result = sum(i, "a", i < 1);
    result.scores["vote_3"] = 1;
    if (i > 0) result.scores["greedy_checked"] = 0;
    run.results.push_back(std::move(result));
  }
  const std::vector<Difference> found = compare_scores(run);
  REQUIRE(found.size() == 2);
  CHECK(found[0].metric == "greedy_checked");
  CHECK(found[0].count == 3);
  CHECK(found[1].metric == "vote_3");
  CHECK(found[1].a == 0.25);
  CHECK(found[1].b == 1);
  CHECK(found[1].only_b == 3);
  CHECK(found[1].p == doctest::Approx(0.25));
  CHECK(error_of([] { compare_scores({some_info(), {}}); }) == "the run has no two scores to compare");
}

TEST_CASE("the page is small and no text of a run becomes markup") {
  Run run{some_info(), {}};
  run.info.model = "</script><b>m";
  run.info.sets[0].questions = 4000;
  for (size_t i = 0; i < 4000; ++i) {
    Result result = sum(i, ("kind <b>" + std::string(300, 'k') + std::to_string(i % 500)).c_str(), i % 2 == 0);
    for (const char* name : {"vote_3", "vote_5", "vote_7", "sampled", "forced", "<i>"}) result.scores[name] = 1;
    run.results.push_back(std::move(result));
  }
  const std::string page = report_page(summarise(run));
  CHECK(page.size() < 200'000);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("<i>") == std::string::npos);
  CHECK(has(page, "\\u003c/script>"));
  for (const char* outside : {"src=", "url(", "@import", "fetch("}) CHECK_FALSE(has(page, outside));
}

}  // namespace tinyllm::eval::test
