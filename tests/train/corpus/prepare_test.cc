#include <doctest/doctest.h>

#include "runtime/documents/encode.h"
#include "train/corpus/preparation.h"

#include <algorithm>
#include <set>

namespace tinyllm::test {

TEST_CASE("documents of all formats and encodings come out in the order of the files") {
  Preparation run;
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
  Preparation run;
  run.write("a.txt", text(0, 50) + "\f\n" + text(50, 30));
  const std::string once = run.corpus();
  Preparation again;
  again.write("corpus.txt", once);
  CHECK(again.corpus() == once);
}

TEST_CASE("what comes again is dropped, documents before paragraphs") {
  Preparation run;
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
  Preparation run;
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
  Preparation run;
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
  Preparation run;
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
  Preparation run;
  run.write("a.html", "<p>一段不长的正文在这里。</p><script>hello()</script>");
  run.write("b.jsonl", "{\"text\": \"这一行的正文也不算长。\", \"title\": \"x\"}\n{}\n");
  run.corpus();
  CHECK(run.report.changed.at("bytes of markup and fields") ==
        run.report.read.bytes - run.report.kept.bytes - run.report.rules.at("json_no_text").bytes);
}

TEST_CASE("a file that is mostly no prose goes as a whole") {
  Preparation run;
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

}  // namespace tinyllm::test
