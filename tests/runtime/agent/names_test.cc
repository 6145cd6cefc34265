#include <doctest/doctest.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>

#include "error_of.h"

#include <string>

using namespace tinyllm::agent;

namespace tinyllm::test {

TEST_CASE("names fold by case, width and composition") {
  CHECK(folded("Setup.EXE") == "setup.exe");
  CHECK(folded("ＡＢＣ．ｔｘｔ") == "abc.txt");
  CHECK(folded("s\u00e9cret") == folded("se\u0301cret"));
  CHECK(folded("Straße") == "strasse");     // Case folding of Unicode.
  CHECK(folded("a\u200bb") == "ab");        // A zero-width space.
  CHECK(folded("\xff") == "\xEF\xBF\xBD");  // U+FFFD.
}

TEST_CASE("an escaped name is one printable line, and is the name again") {
  CHECK(escaped("a\nyes\n.txt") == "a\\nyes\\n.txt");
  CHECK(escaped("\x1b[2Kclean.txt") == "\\x1b[2Kclean.txt");
  CHECK(escaped("a\\b") == "a\\\\b");
  CHECK(escaped("\u202etxt.exe") == "\\xe2\\x80\\xaetxt.exe");  // Right-to-left override.
  CHECK(escaped("文件 名.md") == "文件 名.md");
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& name : {all, all + "文\xe6\x96", std::string("\xf0\x9f\x98\x80")})
    CHECK(unescaped(escaped(name)) == name);
  CHECK(error_of([] { unescaped("a\\q"); }) != "no error");
}

TEST_CASE("globs match whole relative paths") {
  struct Row {
    const char *pattern, *path;
    bool matches;
  };
  const Row rows[] = {{"*.md", "a.md", true},
                      {"*.md", "docs/a.md", false},
                      {"**/*.md", "a.md", true},
                      {"**/*.md", "x/y/a.md", true},
                      {"docs/**", "docs", false},
                      {"docs/**", "docs/a/b", true},
                      {"docs/**/*.md", "docs/a.md", true},
                      {"docs/**/*.md", "notes/a.md", false},
                      {"a/**/b/*/c", "a/x/y/b/z/c", true},
                      {"a/**/b/*/c", "a/x/y/b/c", false},
                      {"?.txt", "文.txt", true},
                      {"?.txt", "ab.txt", false},
                      {"[a-c]x", "bx", true},
                      {"[!a-c]x", "bx", false},
                      {"[中文]", "文", true},
                      {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
                      {"**", "a/b/c", true},
                      {"**/", "a", true},
                      {"a.b", "aXb", false},
                      {"?", "\xff", true}};
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.path);
    CHECK(Glob(row.pattern).matches(row.path) == row.matches);
  }
  CHECK(Glob("docs/old/*.md").literal_folder() == "docs/old");
  CHECK(Glob("docs/*.md").may_match_below({"docs"}));
  CHECK(!Glob("docs/*.md").may_match_below({"notes"}));
  CHECK(!Glob("*.md").may_match_below({"docs"}));
  CHECK(error_of([] { Glob("a[b"); }) != "no error");
  CHECK(error_of([] { Glob(""); }) != "no error");
}

TEST_CASE("names that do not work everywhere") {
  for (const char* bad : {"con", "CON.txt", "nul.tar.gz", "com1", "a:b", "a?", "a\\b", "a.", "a ", "a\x01", "\xff"}) {
    CAPTURE(bad);
    CHECK(portability_problem(bad) != "");
  }
  for (const char* good : {"console.txt", "com10", "com", "a.b", "文件.md", "-rf", "~"}) {
    CAPTURE(good);
    CHECK(portability_problem(good) == "");
  }
}

}  // namespace tinyllm::test
