#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>

#include "train/corpus/preparation.h"

namespace tinyllm::test {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

}  // namespace

TEST_CASE("loops, broken links, odd names and files that are no text are said and passed over") {
  Preparation run;
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
  Preparation run;
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
  Preparation run;
  run.write("a.txt", text(0, 3));
  run.options.output = run.in() / "corpus.txt";
  run.options.rejects = run.in() / "rejects.jsonl";
  const std::string first = run.corpus();
  CHECK(run.corpus() == first);
  CHECK(run.dropped(kRuleOutput) > 0);
}

TEST_CASE("a stopped or failed run leaves what was there before") {
  Preparation run;
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
  Preparation run;
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
    Preparation run;
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
