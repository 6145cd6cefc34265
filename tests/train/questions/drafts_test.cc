#include <doctest/doctest.h>

#include <tinyllm/train/questions/draft.h>
#include <tinyllm/train/questions/filters.h>
#include <tinyllm/train/questions/words.h>

#include <string>
#include <vector>

namespace tinyllm::questions::test {
namespace {

struct Made {
  Rule rule;
  std::string question;
  std::string answer;
  bool operator==(const Made&) const = default;
};

std::vector<Made> made_of(const std::string& sentence) {
  std::vector<Made> made;
  for (const Draft& draft : drafts_of(sentence)) {
    made.push_back({draft.rule, draft.question, sentence.substr(draft.answer.begin, draft.answer.size())});
  }
  return made;
}

}  // namespace

TEST_CASE("a sentence makes the question that it answers") {
  const std::string mesh = "服务网格（service mesh）是一种基础设施层，它管理服务之间的通信。";
  const std::string container = "A container is a running process with limits.";
  struct Row {
    std::string sentence;
    Made made;
  };
  for (const Row& row :
       std::vector<Row>{{mesh, {Rule::definition, "服务网格是什么？", mesh}},
                        {"蔡伦是一位发明家。", {Rule::definition, "蔡伦是谁？", "蔡伦是一位发明家。"}},
                        {container, {Rule::definition, "What is a container?", container}},
                        {"《战国无双3》（）是由光荣和ω-force开发的系列的正统第三续作。",
                         {Rule::maker, "《战国无双3》是由谁开发的？", "光荣和ω-force"}},
                        {"水分子由氢原子和氧原子组成。", {Rule::maker, "水分子由什么组成？", "氢原子和氧原子"}},
                        {"港珠澳大桥于2018年10月24日开通运营，全长55千米。",
                         {Rule::date, "港珠澳大桥什么时候开通运营？", "2018年10月24日"}},
                        {"学校成立于1998年。", {Rule::date, "学校成立于什么时候？", "1998年"}},
                        {"The summit was first reached by two climbers on May 29, 1953.",
                         {Rule::date, "When was the summit first reached by two climbers?", "May 29, 1953"}},
                        {"长江全长约6,300公里，注入东海。", {Rule::amount, "长江全长约多少公里？", "6,300公里"}},
                        {"大铲湾码头占65%。", {Rule::amount, "大铲湾码头占百分之多少？", "65%"}},
                        {"四大发明包括造纸术、印刷术、火药和指南针。",
                         {Rule::list, "四大发明包括哪些？", "造纸术、印刷术、火药和指南针"}},
                        {"The stack consists of a kernel, a shell and tools.",
                         {Rule::list, "What does the stack consist of?", "a kernel, a shell and tools"}}}) {
    CAPTURE(row.sentence);
    const std::vector<Made> made = made_of(row.sentence);
    REQUIRE(made.size() == 1);
    CHECK(made[0].question == row.made.question);
    CHECK(made[0] == row.made);
  }
}

TEST_CASE("no question is made from a sentence that does not name its subject") {
  for (const char* sentence : {"但是一种新的方法出现了。",             // No subject.
                               "在编程中，容器是一种对象。",           // The clause has a time or a place first.
                               "最大的问题是一个旧系统。",             // A phrase, which other documents have as well.
                               "车站是一位于城郊的建筑。",             // 位于 is a word.
                               "由于2008年的危机，公司关闭。",         // 由于 is a word.
                               "公司于2010年至2012年扩建。",           // A range.
                               "公司于1990年代扩建厂房。",             // Not a year.
                               "公司于2010年1月开工并于2012年完工。",  // Two dates.
                               "建筑由著名设计师设计。",               // The verb is part of a profession.
                               "桥长55千米和宽33米。",                 // Two numbers.
                               "本届为第3届。", "代号为A380米格。",    // An ordinal; part of a name.
                               "建成了2008年。",                       // A year is not an amount.
                               "产品包括手机。",                       // Not a list.
                               "没有句号的一行是一种标题",             // Not a sentence.
                               "服务\t是一种产品。",                   // A row of a table.
                               "If it is a problem, call.", "There is a problem.", "It happened in 1953."}) {
    CAPTURE(sentence);
    CHECK(made_of(sentence).empty());
  }
}

TEST_CASE("what is dropped by its words") {
  const std::string answer = "一种食品。";
  CHECK_FALSE(problem_with("服务网格是什么？", answer));
  CHECK_FALSE(problem_with("When was the bridge opened?", "1937"));
  CHECK(problem_with("谁？", answer) == Dropped::size);
  CHECK(problem_with("服务网格是什么？", std::string(401, 'a')) == Dropped::size);
  CHECK(problem_with("服务网格（是什么？", answer) == Dropped::broken);
  CHECK(problem_with("服务网格是什么？", "见 https://example.org。") == Dropped::broken);
  CHECK(problem_with("- - - - - - - - a？", answer) == Dropped::broken);
  for (const char* question : {"该公司成立于什么时候？", "本书包括哪些？", "它的长度是多少米？", "What is this system?",
                               "When was it opened to traffic?", "第几个方程是正确的？"}) {
    CAPTURE(question);
    CHECK(problem_with(question, answer) == Dropped::not_alone);
  }
  // "it" and "her" within words are none.
  CHECK_FALSE(problem_with("What is a city in the northern hemisphere?", answer));
}

TEST_CASE("brackets, and what is within them") {
  CHECK(is_balanced("《a（b）》「c」"));
  CHECK_FALSE(is_balanced("（a》"));
  CHECK_FALSE(is_balanced("a）"));
  CHECK_FALSE(is_balanced("\"a"));
  CHECK(opening_clause("甲（乙，丙）丁，戊") == "甲（乙，丙）丁");
  CHECK(opening_clause("6,300公里，长") == "6,300公里");
  CHECK(without_brackets("甲（乙（丙）丁）《戊》") == "甲《戊》");
  CHECK(without_brackets("TLS (mTLS)") == "TLS");
  CHECK(without_end("完了？！") == "完了");
  CHECK(ends_as_sentence("他说：“好。”"));
  CHECK_FALSE(ends_as_sentence("标题"));
}

}  // namespace tinyllm::questions::test
