#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/document.h>
#include <tinyllm/runtime/search/evaluate.h>
#include <tinyllm/runtime/search/sync.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/train/questions/questions.h>

#include "error_of.h"
#include "temp_folder.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

namespace tinyllm::questions::test {
namespace {

using tinyllm::test::error_of;
using tinyllm::test::TempFolder;

// A shelf of documents about rivers, each with facts of its own.
struct Shelf {
  TempFolder temp;
  std::filesystem::path folder = temp / "docs";
  std::filesystem::path file = temp / "index.db";

  explicit Shelf(int count = 60) {
    make_folder(folder);
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("{}{}河", first(i / 8), second(i % 8));
      std::ofstream(folder / fmt::format("{:02}.md", i)) << fmt::format(
          "# {0}\n\n{0}是一条山间的河流，水很清。\n\n## 概况\n\n{0}全长{1}公里。{0}大坝于{2}年建成。"
          "它于1999年改道。流域包括{3}县、{4}县和{5}县。\n\n## 谁管理{0}？\n\n水务部门管理{0}。\n",
          name, 100 + i, 1900 + i, first(i % 8), second(i % 8), first(i / 8));
    }
    index();
  }

  void index() {
    search::IndexFile index(file, search::Database::Mode::create);
    search::sync_folder(index, folder, {.characters = 64, .threads = 1});
  }

  static const char* first(int i) {
    constexpr const char* kNames[] = {"青", "白", "赤", "墨", "金", "银", "玉", "石"};
    return kNames[i];
  }
  static const char* second(int i) {
    constexpr const char* kNames[] = {"龙", "虎", "鹤", "鹿", "松", "柏", "桃", "柳"};
    return kNames[i];
  }
};

}  // namespace

TEST_CASE("each row has a source, and the answer is what stands there") {
  const Shelf shelf;
  const QuestionSet set = make_questions(shelf.file);
  REQUIRE(set.rows.size() > 100);
  for (const Row& row : set.rows) {
    CAPTURE(row.question);
    const Document document = read_document(shelf.folder / row.source.path);
    const auto start = static_cast<size_t>(row.source.start), size = static_cast<size_t>(row.source.end) - start;
    const std::string there = document.text.substr(start, size);
    CHECK(row.source.title == document.title);
    if (row.is_answered) {
      CHECK(there == row.answer);
      CHECK(row.passage.find(row.answer) != std::string::npos);
      CHECK(row.question.find(row.source.title) != std::string::npos);
    } else {
      CHECK(there == row.passage);
      CHECK(row.answer == "资料中没有找到。");
      CHECK(row.question.find(row.source.title) == std::string::npos);
    }
  }
}

TEST_CASE("rules, filters and parts add up") {
  const Shelf shelf;
  const QuestionSet set = make_questions(shelf.file);
  const QuestionReport& report = set.report;
  CHECK(report.documents == 60);
  const auto sum = [](const auto& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); };
  CHECK(sum(report.made) == sum(report.kept) + sum(report.dropped));
  CHECK(sum(report.kept) == std::ssize(set.rows));
  CHECK(sum(report.rows) == std::ssize(set.rows));
  CHECK(report.dropped[static_cast<size_t>(Dropped::not_alone)] == 60);  // "它于1999年改道。"
  for (const Rule rule : {Rule::definition, Rule::date, Rule::amount, Rule::list, Rule::heading}) {
    CAPTURE(name_of(rule));
    CHECK(report.kept[static_cast<size_t>(rule)] > 0);
  }
  // 8 % are not answered, of each part to within half a row.
  for (const Split split : all_of<Split>()) {
    const auto of = static_cast<size_t>(split);
    CHECK(report.rows[of] > 0);
    CHECK(static_cast<double>(report.unanswerable[of]) <= 0.08 * static_cast<double>(report.rows[of]) + 0.5);
  }
  CHECK(sum(report.unanswerable) * 20 >= std::ssize(set.rows));
  // No two alike, and every document is in one part, its passages included.
  std::set<std::string> asked;
  std::map<std::string, Split> parts;
  for (const Row& row : set.rows) {
    CHECK(asked.insert(row.question).second);
    const auto [part, is_new] = parts.emplace(row.source.path, row.split);
    CHECK(part->second == row.split);
  }
}

TEST_CASE("a question without the title of its document names it") {
  const Shelf shelf(1);
  for (const Row& row : make_questions(shelf.file).rows) {
    if (row.rule == Rule::list) CHECK(row.question == "关于“青龙河”，流域包括哪些？");
    if (row.rule == Rule::amount) CHECK(row.question == "青龙河全长多少公里？");
  }
}

TEST_CASE("the same document is not asked about twice, and one that is added moves no other") {
  Shelf shelf(20);
  const auto parts_of = [&] {
    std::map<std::string, Split> parts;
    for (const Row& row : make_questions(shelf.file, {.unanswerable = 0}).rows) parts[row.source.path] = row.split;
    return parts;
  };
  const std::map<std::string, Split> before = parts_of();
  const size_t rows = make_questions(shelf.file).rows.size();
  const std::string copy = read_file(shelf.folder / "00.md") + "\n## 其他\n\n没有。\n";  // Not the same content.
  std::ofstream(shelf.folder / "zz.md") << copy;
  shelf.index();
  CHECK(make_questions(shelf.file).rows.size() == rows);
  CHECK(parts_of() == before);
}

TEST_CASE("rows as lines of each form") {
  Row row;
  row.rule = Rule::date;
  row.question = "大桥什么时候开通？";
  row.answer = "2018年";
  row.passage = "大桥于2018年开通。";
  row.source = {"a.pdf", "", "大桥", "概况", 3, 9, 16, "00ff"};
  const Json alpaca = Json::parse(to_line(row, RowForm::alpaca));
  CHECK(alpaca["instruction"] == row.question);
  CHECK(alpaca["input"] == row.passage);
  CHECK(alpaca["output"] == row.answer);
  CHECK(alpaca["answerable"] == true);
  CHECK(alpaca["source"] == Json::parse(R"({"document": "a.pdf", "name": "", "title": "大桥", "page": 3,
    "section": "概况", "start": 9, "end": 16, "hash": "00ff"})"));
  const Json sharegpt = Json::parse(to_line(row, RowForm::sharegpt))["conversations"];
  CHECK(sharegpt[0]["from"] == "human");
  CHECK(sharegpt[0]["value"] == row.passage + "\n\n" + row.question);
  CHECK(sharegpt[1]["value"] == row.answer);
  const Json messages = Json::parse(to_line(row, RowForm::messages, true))["messages"];
  CHECK(messages[0]["content"] == row.question);
  CHECK(messages[1]["role"] == "assistant");
  const Json question = Json::parse(to_line(row, RowForm::questions));
  CHECK(question["doc_id"] == "a.pdf");
  CHECK(question["answers"][0] == "2018年");
  row.is_answered = false;
  CHECK(to_line(row, RowForm::questions).empty());
  CHECK(to_line(row, RowForm::messages, true).empty());
  CHECK(Json::parse(to_line(row, RowForm::messages))["answerable"] == false);
}

TEST_CASE("the questions teach the search") {
  const Shelf shelf(20);
  std::string lines;
  for (const Row& row : make_questions(shelf.file).rows) {
    const std::string line = to_line(row, RowForm::questions);
    if (!line.empty()) lines += line + '\n';
  }
  std::ofstream(shelf.temp / "questions.jsonl") << lines;
  search::IndexFile index(shelf.file, search::Database::Mode::read);
  const auto trials = search::try_questions(index, search::read_questions(shelf.temp / "questions.jsonl"));
  // Each was kept because its chunk is found.
  for (const search::Trial& trial : trials) {
    CHECK(std::find(trial.chunk_right.begin(), trial.chunk_right.end(), true) != trial.chunk_right.end());
  }
}

TEST_CASE("what is not an index is refused, and work can be stopped") {
  const Shelf shelf(2);
  std::ofstream(shelf.temp / "text.db") << "not an index, but a text of some length";
  CHECK(error_of([&] { make_questions(shelf.temp / "text.db"); }).find("text.db") != std::string::npos);
  CHECK_THROWS_AS(make_questions(shelf.file, {}, [](const Progress&) { return false; }), Stopped);
}

}  // namespace tinyllm::questions::test
