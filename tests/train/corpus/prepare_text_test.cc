#include <doctest/doctest.h>

#include "train/corpus/preparation.h"

#include <algorithm>

namespace tinyllm::test {

TEST_CASE("a line longer than any paragraph is cut at ends of sentences, and nothing of it is lost") {
  Preparation run;
  run.options.clean.paragraphs.max_repeated = 1;
  run.options.clean.near = NearUnit::none;
  std::string line;
  for (int i = 0; line.size() < 3'000'000; ++i) line += sentence(i) + (i % 3 == 0 ? "Then tea. " : "");
  run.write("a.txt", line);
  const std::string corpus = run.corpus();
  std::string joined;
  size_t longest = 0;
  for (size_t begin = 0, end; (end = corpus.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view part = std::string_view(corpus).substr(begin, end - begin);
    CHECK((part.ends_with("。") || part.ends_with("tea.")));
    CHECK_FALSE(part.starts_with(" "));
    joined += part;
    if (part.ends_with('.')) joined += ' ';
    longest = std::max(longest, part.size());
  }
  CHECK((joined == line || joined + ' ' == line));
  CHECK(longest <= 3 * 20000);
  CHECK(run.report.rules.empty());
}

TEST_CASE("a page of HTML in one line longer than a piece is read") {
  Preparation run;
  std::string page;
  for (int i = 0; page.size() < 6'000'000; ++i) page += "<p>" + sentence(i) + "</p>";
  run.write("a.html", page);
  run.options.clean.paragraphs.max_repeated = 1;
  run.options.clean.near = NearUnit::none;
  const std::string corpus = run.corpus();
  CHECK(corpus.starts_with(text(0, 100)));
  CHECK(run.report.rules.empty());
}

TEST_CASE("<br> ends a line of a text, and is kept where a text speaks of it") {
  Preparation run;
  run.write("a.txt",
            "床前明月光<br>疑是地上霜<BR/>举头望明月<br />低头思故乡\n标签 `<br>` 用来换行，\"<br/>\" 也是。\n");
  run.write("b.jsonl", "{\"text\": \"One line of tea<br/>another line of tea\"}\n");
  CHECK(run.corpus() ==
        "床前明月光\n疑是地上霜\n举头望明月\n低头思故乡\n标签 `<br>` 用来换行，\"<br/>\" 也是。\n\f\n"
        "One line of tea\nanother line of tea\n");
}

TEST_CASE("code keeps its indentation in text, in JSON and in pages, and what was prepared passes unchanged") {
  const std::string code = "def brew(tea):\n    water = boil(1.5)\n\treturn pour(tea, water)\n";
  const std::string prose = "下面的程序烧一壶水，然后泡茶。\n";
  Preparation run;
  run.options.clean.near = NearUnit::none;
  run.options.duplicates.exact = false;
  run.write("a.txt", "　　" + prose + "\n" + code);
  run.write("b.md", prose + "\n```python\n" + code + "```\n");
  run.write("c.jsonl", R"({"text": "def brew(tea):\n    water = boil(1.5)\n\treturn pour(tea, water)\n"})");
  const std::string corpus = run.corpus();
  CHECK(corpus == prose + code + "\f\n" + prose + code + "\f\n" + code);
  Preparation again;
  again.options = run.options;
  again.options.inputs = {run.options.output};
  again.options.output = again.in().parent_path() / "again.txt";
  CHECK(again.corpus() == corpus);
}

TEST_CASE("front matter goes from every document of a file and of JSON lines, and lines keep their numbers") {
  Preparation run;
  const std::string settings = "---\ntitle: 茶\ndate: 2020-01-01\n---\n";
  run.write("a.txt", settings + "第一篇的正文在这里。\n\f\n" + settings + "第二篇的正文在这里。\n" + settings +
                         "第三篇的正文在这里。\n——\n");
  run.write("b.jsonl", "{\"text\": \"---\\ntitle: x\\n---\\n第四篇的正文在这里。\"}\n");
  run.write("c.md", settings + "# 第五篇\n\n正文在这里。\n" + settings + "第六篇的正文在这里。\n");
  CHECK(run.corpus() ==
        "第一篇的正文在这里。\n\f\n第二篇的正文在这里。\n第三篇的正文在这里。\n\f\n"
        "第四篇的正文在这里。\n\f\n第五篇\n正文在这里。\n第六篇的正文在这里。\n");
  CHECK(run.rejects().find("a.txt\",\"line\":17,\"text\":\"——\"") != std::string::npos);
}

TEST_CASE("a page that was cut at both ends and named .txt gives its text alone") {
  Preparation run;
  std::string page = ".tea { color: green; }\n.tea a { margin: 0 1em; }\n</style>\n<script>var x = {a: 1};</script>\n";
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    page += "<div class=\"tea\"><p>" + sentence(i) + "</p></div>\n";
    expected += sentence(i) + '\n';
  }
  run.write("a.txt", page + "<script>function f() { return g(");
  CHECK(run.corpus() == expected);
}

TEST_CASE("numbers of any size and halves of surrogate pairs in JSON do not lose a line") {
  Preparation run;
  run.write("a.jsonl",
            "{\"id\": 233897314173811950000, \"text\": \"一个很大的整数在旁边。\"}\r"
            "{\"id\": -1E+400, \"text\": \"一个更大的小数在旁边。\"}\r\n"
            "{\"text\": \"半个字符\\ud83d在这一句话里。\", \"id\": NaN}\n"
            "{\"id\": 01, \"text\": \"这一行不是正确的。\"}\n");
  CHECK(run.corpus() == "一个很大的整数在旁边。\n\f\n一个更大的小数在旁边。\n\f\n半个字符\uFFFD在这一句话里。\n");
  CHECK(run.dropped(kRuleBadJson) == 1);
  CHECK(run.report.changed.at("undecodable characters") == 1);
}

TEST_CASE("a line that is cut is judged by the characters that it lost") {
  Preparation run;
  std::string line;
  for (int i = 0; line.size() < 100'000; ++i) line += sentence(i) + "\uFFFD\uFFFD\uFFFD";
  run.write("a.txt", text(0, 5) + line + '\n');
  CHECK(run.corpus() == text(0, 5));
  CHECK(run.dropped(kRuleUndecodable) == 1);
}

}  // namespace tinyllm::test
