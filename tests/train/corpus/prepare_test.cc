#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/corpus/prepare.h>
#include <tinyllm/train/corpus/rules.h>

#include "temp_folder.h"
#include "train/corpus/encode.h"

#include <set>

namespace tinyllm::test {

using namespace corpus;
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

// A folder to prepare, and what came of it.
class Run {
 public:
  Run() {
    fs::create_directory(in());
    options.inputs = {in()};
    options.output = folder_ / "corpus.txt";
    options.report = folder_ / "report.json";
    options.rejects = folder_ / "rejects.jsonl";
  }

  fs::path in() const { return folder_ / "in"; }
  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((in() / name).parent_path());
    write_file(in() / name, text);
  }
  std::string corpus() {
    report = prepare_corpus(options, {});
    return read_file(options.output);
  }
  std::string rejects() const { return read_file(options.rejects); }
  int64_t dropped(std::string_view rule) const {
    const auto found = report.rules.find(std::string(rule));
    return found == report.rules.end() ? 0 : found->second.pieces;
  }

  PrepareOptions options;
  Report report;

 private:
  TempFolder folder_;
};

// Sentences that differ from each other.
std::string sentence(int i) {
  const char* who[] = {"老人", "孩子", "渔夫", "木匠", "医生", "船长", "老师"};
  const char* what[] = {"看着窗外的雨", "修好了那扇旧门", "读完了一封长信", "在集市上买了两条鱼", "把灯放在桌上"};
  const char* when[] = {"清晨",         "黄昏",     "午后",           "半夜",     "立春那天", "下雪的时候",
                        "集市散了以后", "船靠岸时", "第一声鸡叫之前", "客人走后", "放学路上"};
  return std::string(when[i % 11]) + "，" + who[i % 7] + what[i % 5] + "，后来坐下来慢慢地算，一共数到了" +
         std::to_string(i) + "。";
}

std::string text(int first, int count) {
  std::string all;
  for (int i = first; i < first + count; ++i) all += sentence(i) + '\n';
  return all;
}

}  // namespace

TEST_CASE("documents of all formats and encodings come out in the order of the files") {
  Run run;
  run.write("a.txt", "\xEF\xBB\xBF第一篇的内容在这里。\r\n还有第二段文字。\r\n");
  run.write("b/gbk.TXT", encode("老人用旧的编码写了一封很长的信，信里说了许多家常的话。\n", "GB18030"));
  run.write("b/utf16.txt", "\xFF\xFE" + encode("孩子用另一种编码记下了今天看见的云和鸟。\n", "UTF-16LE"));
  run.write("c.jsonl",
            "{\"text\": \"第一行是一篇文章。\\n它有两段。\"}\n\n{\"content\": \"第二行又是一篇不长的文章。\"}");
  run.write(
      "d.html",
      "<html><head><title>x</title><script>var a;</script></head><body><p>网页里的一段不长的正文。</p></body></html>");
  run.write("e.md", "# 标题\n\n正文里有一个[链接](https://example.org)。\n");
  run.write("f.txt", "同一文件里的前一篇文章。\n\f\n同一文件里的后一篇文章。\n");
  run.write("g.dat", "not read");
  CHECK(run.corpus() ==
        "第一篇的内容在这里。\n还有第二段文字。\n\f\n"
        "老人用旧的编码写了一封很长的信，信里说了许多家常的话。\n\f\n"
        "孩子用另一种编码记下了今天看见的云和鸟。\n\f\n"
        "第一行是一篇文章。\n它有两段。\n\f\n第二行又是一篇不长的文章。\n\f\n"
        "网页里的一段不长的正文。\n\f\n"
        "标题\n正文里有一个链接。\n\f\n"
        "同一文件里的前一篇文章。\n\f\n同一文件里的后一篇文章。\n");
  CHECK(run.report.read.documents == 9);
  CHECK(run.report.kept.documents == 9);
  CHECK(run.dropped(kRuleFileType) == 1);
}

TEST_CASE("what was prepared once passes unchanged") {
  Run run;
  run.write("a.txt", text(0, 50) + "\f\n" + text(50, 30));
  const std::string once = run.corpus();
  Run again;
  again.write("corpus.txt", once);
  CHECK(again.corpus() == once);
}

TEST_CASE("what comes again is dropped, documents before paragraphs") {
  Run run;
  run.write("1.txt", text(0, 20) + "小结\n");
  run.write("2.txt", text(0, 20) + "小结\n");
  run.write("3.txt", text(30, 20) + sentence(3) + '\n' + "小结\n");
  run.write("4.txt", text(0, 19) + sentence(99) + "\n小结\n");
  const std::string corpus = run.corpus();
  CHECK(corpus == text(0, 20) + "小结\n\f\n" + text(30, 20) + "小结\n");
  CHECK(run.dropped(kRuleDuplicateDocument) == 1);
  CHECK(run.dropped(kRuleDuplicate) == 1);
  CHECK(run.dropped(kRuleNearDocument) == 1);

  run.options.clean.near = NearUnit::none;
  run.options.duplicates.exact = false;
  CHECK(run.corpus() == text(0, 20) + "小结\n\f\n" + text(0, 20) + "小结\n\f\n" + text(30, 20) + text(3, 1) +
                            "小结\n\f\n" + text(0, 19) + text(99, 1) + "小结\n");
}

TEST_CASE("near duplicates of paragraphs are found within one file") {
  Run run;
  const std::string long_one = text(0, 10);
  std::string first = long_one;
  std::erase(first, '\n');
  std::string second = first;
  second.replace(second.find("老人"), 6, "老妇");
  run.write("a.txt", first + '\n' + second + '\n');
  CHECK(run.corpus() == first + '\n' + second + '\n');
  run.options.clean.near = NearUnit::paragraphs;
  CHECK(run.corpus() == first + '\n');
  CHECK(run.dropped(kRuleNearDuplicate) == 1);
}

TEST_CASE("output, report and rejects are the same for any number of threads") {
  Run run;
  for (int i = 0; i < 30; ++i)
    run.write("file" + std::to_string(i) + ".txt", text(i * 7, 40) + "——\n\f\n" + text(i, 9));
  std::string large;
  for (int i = 0; i < 60000; ++i) large += sentence(i % 50000) + '\n';
  run.write("large.txt", large);
  std::set<std::string> corpora;
  std::set<std::string> reports;
  std::set<std::string> rejects;
  for (const int threads : {1, 2, 3, 8}) {
    run.options.threads = threads;
    corpora.insert(run.corpus());
    reports.insert(read_file(run.options.report));
    rejects.insert(run.rejects());
  }
  CHECK(corpora.size() == 1);
  CHECK(reports.size() == 1);
  CHECK(rejects.size() == 1);
}

TEST_CASE("every paragraph is kept or among the rejects") {
  Run run;
  run.options.clean.near = NearUnit::paragraphs;
  run.write("a.txt", text(0, 30) + "——\n" + text(10, 10) + "版权所有 © 某某\n{}();\n");
  run.write("b.jsonl", "{\"text\": \"cut\n[1]\n{\"text\": \"一段完整的文字在此。\"}\n");
  run.corpus();
  int64_t dropped = 0;
  for (const auto& [name, rule] : run.report.rules) dropped += rule.pieces;
  const std::string rejects = run.rejects();
  CHECK(std::count(rejects.begin(), rejects.end(), '\n') == dropped);
  CHECK(run.report.kept.paragraphs + dropped == run.report.read.paragraphs + 2);  // Two lines that are no JSON text.
  CHECK(rejects.find("{\"rule\":\"json_bad\",\"file\":\"") != std::string::npos);
  CHECK(rejects.find("b.jsonl\",\"line\":2,\"text\":\"[1]\"") != std::string::npos);
}

TEST_CASE("what is no text of a page or of a line of JSON is counted") {
  Run run;
  run.write("a.html", "<p>一段不长的正文在这里。</p><script>hello()</script>");
  run.write("b.jsonl", "{\"text\": \"这一行的正文也不算长。\", \"title\": \"x\"}\n{}\n");
  run.corpus();
  CHECK(run.report.changed.at("bytes of markup and fields") ==
        run.report.read.bytes - run.report.kept.bytes - run.report.rules.at("json_no_text").bytes);
}

TEST_CASE("a line longer than any paragraph is cut at ends of sentences, and nothing of it is lost") {
  Run run;
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
  Run run;
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
  Run run;
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
  Run run;
  run.options.clean.near = NearUnit::none;
  run.options.duplicates.exact = false;
  run.write("a.txt", "　　" + prose + "\n" + code);
  run.write("b.md", prose + "\n```python\n" + code + "```\n");
  run.write("c.jsonl", R"({"text": "def brew(tea):\n    water = boil(1.5)\n\treturn pour(tea, water)\n"})");
  const std::string corpus = run.corpus();
  CHECK(corpus == prose + code + "\f\n" + prose + code + "\f\n" + code);
  Run again;
  again.options = run.options;
  again.options.inputs = {run.options.output};
  again.options.output = again.in().parent_path() / "again.txt";
  CHECK(again.corpus() == corpus);
}

TEST_CASE("front matter goes from every document of a file and of JSON lines, and lines keep their numbers") {
  Run run;
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
  Run run;
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
  Run run;
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
  Run run;
  std::string line;
  for (int i = 0; line.size() < 100'000; ++i) line += sentence(i) + "\uFFFD\uFFFD\uFFFD";
  run.write("a.txt", text(0, 5) + line + '\n');
  CHECK(run.corpus() == text(0, 5));
  CHECK(run.dropped(kRuleUndecodable) == 1);
}

TEST_CASE("a file that is mostly no prose goes as a whole") {
  Run run;
  std::string lock;
  for (int i = 0; i < 50; ++i) {
    lock += "\"@scope/package@" + std::to_string(i) + "\":\n  version of it\n  from \"https://example.org/x/" +
            std::to_string(i) + "/abc.tgz#0123456789abcdef\"\n";
  }
  run.write("lock.txt", lock);
  run.write("text.txt", text(0, 3));
  CHECK(run.corpus() == text(0, 3));
  CHECK(run.dropped(kRulePoorDocument) > 0);
}

TEST_CASE("loops, broken links, odd names and files that are no text are said and passed over") {
  Run run;
  run.write("sub/a.txt", text(0, 3));
  run.write("bad\xFFname.txt", text(5, 3));
  run.write("image.txt", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\xFF\xFE\x81\0\0\1\0\xC3"s);
  fs::create_directory_symlink(run.in(), run.in() / "sub/loop");
  fs::create_symlink(run.in() / "nothing", run.in() / "broken.txt");
  fs::create_symlink(run.in() / "sub/a.txt", run.in() / "twice.txt");
  CHECK(run.corpus() == text(5, 3) + "\f\n" + text(0, 3));
  CHECK(run.dropped(kRuleReadBefore) == 2);
  CHECK(run.dropped(kRuleUnreadable) == 1);
  CHECK(run.dropped(kRuleBinary) == 1);
  CHECK(run.dropped(kRuleShortDocument) == 0);
  CHECK(run.report.read.documents == 2);
  CHECK(run.report.files[0].name.find("bad\\xFFname.txt") != std::string::npos);
}

TEST_CASE("a link out of the inputs is not followed, unless it is an input itself, and unread files are named") {
  Run run;
  const fs::path outside = run.in().parent_path() / "outside";
  fs::create_directory(outside);
  write_file(outside / "a.txt", text(0, 3));
  run.write("b.txt", text(3, 3));
  fs::create_symlink(outside / "a.txt", run.in() / "file.txt");
  fs::create_directory_symlink(outside, run.in() / "folder");
  fs::create_symlink("b.txt", run.in() / "inside.txt");
  CHECK(run.corpus() == text(3, 3));
  CHECK(run.dropped(kRuleOutside) == 2);
  CHECK(run.dropped(kRuleReadBefore) == 1);
  REQUIRE(run.report.unread.size() == 2);
  CHECK(run.report.unread[0].name.ends_with("file.txt"));
  CHECK(run.report.to_json().find("\"unread\": [\n    {\n      \"name\": ") != std::string::npos);

  run.options.inputs = {run.in() / "folder", run.in() / "file.txt"};
  CHECK(run.corpus() == text(0, 3));
}

TEST_CASE("the output of the last run is not read") {
  Run run;
  run.write("a.txt", text(0, 3));
  run.options.output = run.in() / "corpus.txt";
  run.options.rejects = run.in() / "rejects.jsonl";
  const std::string first = run.corpus();
  CHECK(run.corpus() == first);
  CHECK(run.dropped(kRuleOutput) > 0);
}

TEST_CASE("a stopped or failed run leaves what was there before") {
  Run run;
  run.write("a.txt", text(0, 30));
  const std::string before = run.corpus();
  run.write("b.txt", text(30, 30));
  CHECK_THROWS_WITH_AS(prepare_corpus(run.options, [](const Progress&) { return false; }), doctest::Contains("stopped"),
                       Error);
  CHECK(read_file(run.options.output) == before);
  CHECK(!fs::exists(run.options.output.string() + ".part"));
  CHECK(!fs::exists(run.options.rejects.string() + ".part"));
}

TEST_CASE("nothing to read, and nothing to keep, are errors") {
  Run run;
  CHECK_THROWS_WITH_AS(run.corpus(), doctest::Contains("no text file"), Error);
  run.write("binary.dat", "x");
  CHECK_THROWS_WITH_AS(run.corpus(), doctest::Contains("among 1 files"), Error);
  run.write("a.txt", "——\n");
  CHECK_THROWS_WITH_AS(run.corpus(), doctest::Contains("nothing was kept"), Error);
  CHECK(!fs::exists(run.options.output));
  CHECK(fs::exists(run.options.report));
  run.options.inputs = {run.in() / "missing"};
  CHECK_THROWS_WITH_AS(run.corpus(), doctest::Contains("missing: cannot be read"), Error);
}

TEST_CASE("outputs that would destroy each other or an input are refused before anything is written") {
  struct Case {
    const char* output;
    const char* report;
    const char* rejects;
    const char* error;
  };
  for (const Case& c : {Case{"c.txt", "r.json", "c.txt", "c.txt: is named twice"},
                        {"c.txt", "c.txt", "j.jsonl", "c.txt: is named twice"},
                        {"c.txt", "r.html", "j.jsonl", "r.html: is named twice"},
                        {"c.txt", "r.json", "in/../c.txt", "c.txt: is named twice"},
                        {"in", "r.json", "j.jsonl", "in: cannot be written: is a folder"},
                        {"c.txt", "none/r.json", "j.jsonl", "r.json: cannot be written: there is no such folder"},
                        {"in/a.txt", "r.json", "j.jsonl", "a.txt: is the input too"}}) {
    Run run;
    run.write("a.txt", text(0, 3));
    const fs::path folder = run.in().parent_path();
    run.options.inputs = {run.in() / "a.txt"};
    run.options.output = folder / c.output;
    run.options.report = folder / c.report;
    run.options.rejects = folder / c.rejects;
    CAPTURE(c.error);
    CHECK_THROWS_WITH_AS(run.corpus(), doctest::Contains(c.error), Error);
    CHECK(read_file(run.in() / "a.txt") == text(0, 3));
    CHECK(std::distance(fs::directory_iterator(folder), {}) == 1);
  }
}

}  // namespace tinyllm::test
