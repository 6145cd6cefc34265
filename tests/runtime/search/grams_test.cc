#include <doctest/doctest.h>

#include <tinyllm/runtime/search/grams.h>

#include <algorithm>
#include <set>

namespace tinyllm::search::test {
namespace {

std::vector<Gram> grams_of(std::string_view text) {
  std::vector<Gram> grams;
  append_grams(text, grams);
  return grams;
}

bool has_all(std::string_view text, std::string_view wanted) {
  const std::vector<Gram> all = grams_of(text);
  const std::set<Gram> known(all.begin(), all.end());
  const std::vector<Gram> grams = grams_of(wanted);
  return !grams.empty() && std::all_of(grams.begin(), grams.end(), [&](Gram gram) { return known.contains(gram); });
}

}  // namespace

TEST_CASE("a Chinese text gives its characters and pairs, and no pair across punctuation") {
  CHECK(grams_of("数据库") == std::vector<Gram>{U'数', U'据', pair_of(U'数', U'据'), U'库', pair_of(U'据', U'库')});
  CHECK(grams_of("数。据") == std::vector<Gram>{U'数', U'据'});
  CHECK(grams_of("，。！ \n").empty());
}

TEST_CASE("a word of two characters and a Latin word within Chinese are found") {
  CHECK(has_all("我们用SQLite存储索引文件", "索引"));
  CHECK(has_all("我们用SQLite存储索引文件", "sqlite"));
  CHECK_FALSE(has_all("我们用SQLite存储索引文件", "引存"));
}

TEST_CASE("forms of one word are the same") {
  struct Row {
    const char* text;
    const char* same;
  };
  for (const Row& row : std::vector<Row>{{"ＡＢＣ１２３", "abc123"},
                                         {"café", "cafe\u0301"},
                                         {"Größe", "GROSSE"},
                                         {"資料庫與網絡", "资料库与网络"},
                                         {"㎏", "kg"},
                                         {"ﬁne", "fine"},
                                         {"PPR\u00AD9087", "ppr9087"}}) {
    CAPTURE(row.text);
    CHECK(grams_of(row.text) == grams_of(row.same));
  }
  CHECK(folded("Ｇｒößé，OK") == U"grosse ok");
}

TEST_CASE("a word is found by its parts and its parts by the word") {
  CHECK(has_all("型号PPR-9087", "PPR9087"));
  CHECK(has_all("型号PPR-9087", "9087"));
  CHECK(has_all("型号PPR-9087", "ppr"));
  CHECK(has_all("class DocumentReader", "reader"));
  CHECK(has_all("snake_case", "snake"));
  CHECK_FALSE(has_all("ends. Next", "endsnext"));
}

TEST_CASE("bytes that are not UTF-8 separate words") {
  CHECK(grams_of("ab\xff"
                 "cd") == grams_of("ab cd"));
  CHECK(grams_of("\xe6\x95").empty());
}

TEST_CASE("a question keeps what it asks about, and nothing but grammar stays whole") {
  const std::vector<Gram> asked = question_grams("什么是数据库？");
  CHECK(std::count(asked.begin(), asked.end(), pair_of(U'数', U'据')) == 1);
  CHECK(std::count(asked.begin(), asked.end(), pair_of(U'什', U'么')) == 0);
  const std::vector<Gram> grams = question_grams("What is the database of the database");
  CHECK(grams == grams_of("database"));
  CHECK_FALSE(question_grams("是什么").empty());
  CHECK(question_grams("").empty());
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "word" + std::to_string(i) + " ";
  CHECK(question_grams(many, 100).size() == 100);
}

}  // namespace tinyllm::search::test
