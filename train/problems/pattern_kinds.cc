// Sequences, days and clocks, and stories in which each number depends on the one before.
#include <tinyllm/train/problems/scene.h>
#include <tinyllm/train/problems/words.h>

#include <fmt/format.h>

namespace tinyllm::problems {
namespace {

bool arrange_weekday(Scene& scene) {
  const int64_t start = scene.whole("s"), days = scene.whole("n"), rest = days % 7;
  const int64_t end = start + rest > 7 ? start + rest - 7 : start + rest;
  scene.words["start"] = weekday(scene.language, start);
  scene.words["end"] = weekday(scene.language, end);
  scene.put("q", days / 7);
  return true;
}

bool arrange_clock(Scene& scene) {
  const int64_t minutes = scene.whole("m") + scene.whole("d"), hours = minutes / 60;
  if (scene.whole("h") + hours >= 24) return false;
  scene.put("q", hours);
  scene.words["start"] = fmt::format("{}:{:02}", scene.whole("h"), scene.whole("m"));
  scene.words["end"] = fmt::format("{}:{:02}", scene.whole("h") + hours, minutes % 60);
  if (hours > 0) {
    scene.steps.push_back({"f", "60*{q}", {"满{q}小时", "In {q} full hours"}});
    scene.steps.push_back({"r", "{e}-{f}", {"剩下的分钟", "minutes left"}});
    scene.steps.push_back({"g", "{h}+{q}", {"小时", "hours"}});
  }
  return true;
}

// Who has how many, each from the one before.
bool arrange_story(Scene& scene) {
  struct Link {
    std::string operation, expression;
    Texts clue, why;
  };
  static const std::vector<Link> kLinks = {
      {"more", "{}+{}", {"{}比{}多{}个", "{0} has {2} more than {1}"}, {"多{}个", "{} more"}},
      {"fewer", "{}-{}", {"{}比{}少{}个", "{0} has {2} fewer than {1}"}, {"少{}个", "{} fewer"}},
      {"times", "{}*{}", {"{}的是{}的{}倍", "{0} has {2} times as many as {1}"}, {"{}倍", "{} times"}},
      {"part", "{}/{}", {"{}的是{}的{}分之一", "{0} has 1/{2} of what {1} has"}, {"{}分之一", "1/{} of that"}}};
  const std::array<size_t, kLevels> kLinksOfLevel = {2, 3, 4};
  scene.operations.clear();
  std::string clues, last = "A";
  Rational value = scene.values["a"].value;
  for (size_t i = 0; i < kLinksOfLevel[static_cast<size_t>(scene.level) - 1]; ++i) {
    const auto kind = static_cast<size_t>(scene.draw(0, 3));
    const Link& link = kLinks[kind];
    const int64_t operand = kind < 2 ? scene.draw(1, scene.level == 1 ? 30 : 90) : scene.draw(2, 9);
    const std::string next(1, static_cast<char>('B' + i)), before = i == 0 ? "a" : "r" + last;
    const std::string result = "r" + next;
    if (scene.language == Language::chinese && kind == 3 && operand == 9) return false;
    const std::string clue =
        fmt::format(fmt::runtime(scene.in(link.clue)), scene.words[next], scene.words[last], operand);
    clues += clue + (scene.language == Language::chinese ? "，" : ". ");
    const auto why = [&](size_t language) {
      return fmt::format("{}{}{}", scene.words[next], language == 0 ? "" : ", ",
                         fmt::format(fmt::runtime(link.why[language]), operand));
    };
    const std::string expression = fmt::format(fmt::runtime(link.expression), fmt::format("{{{}}}", before), operand);
    scene.steps.push_back({result, expression, {why(0), why(1)}});
    Arithmetic arithmetic;
    if (kind == 0) value = arithmetic.sum(value, operand);
    if (kind == 1) value = arithmetic.difference(value, operand);
    if (kind == 2) value = arithmetic.product(value, operand);
    if (kind == 3) value = arithmetic.quotient(value, operand);
    if (value <= 0 || !value.is_integer()) return false;
    scene.operations.push_back(link.operation);
    scene.more.push_back(static_cast<int64_t>(kind));
    scene.more.push_back(operand);
    last = next;
  }
  while (clues.ends_with(' ')) clues.pop_back();
  scene.words["clues"] = clues;
  scene.words["last"] = scene.words[last];
  scene.put("x", value, Form::whole);
  return true;
}

}  // namespace

std::vector<Kind> pattern_kinds() {
  return {
      {.name = "arithmetic_sequence",
       .numbers = {{"a", 1, {30, 300, 9000}}, {"d", 2, {12, 90, 900}}, {"n", 6, {20, 90, 300}}},
       .given = {{"b", "{a}+{d}"}, {"c", "{b}+{d}"}},
       .wordings = {{"数列{a}、{b}、{c}、……每次增加同样多，第{n}个数是多少？",
                     "The sequence {a}, {b}, {c}, ... grows by the same each time. What is its number {n}?"},
                    {"找规律：{a}，{b}，{c}，……第{n}个数是几？",
                     "Find the rule: {a}, {b}, {c}, ... Which is term {n}?"},
                    {"等差数列的前三项是{a}、{b}、{c}，求第{n}项。",
                     "An arithmetic sequence begins with {a}, {b}, {c}. Find term {n}."},
                    {"从{a}、{b}、{c}开始，照这样写下去，第{n}个数等于多少？",
                     "Going on as {a}, {b}, {c} begin, what stands at place {n}?"}},
       .known = {"第1个数是{a}，求第{n}个", "Term 1 is {a}, term {n} is asked"},
       .steps = {{"e", "{b}-{a}", {"每次增加", "Grows by"}},
                 {"m", "{n}-1", {"增加的次数", "how often"}},
                 {"p", "{e}*{m}", {"共增加", "in all"}},
                 {"x", "{a}+{p}", {"结果", "result"}}},
       .answer = {"{x}", "{x}"},
       .takes = "n",
       .gives = "x"},
      {.name = "geometric_sequence",
       .numbers = {{"a", 1, {60, 300, 900}}, {"r", 2, {5, 7, 9}}},
       .given = {{"b", "{a}*{r}"}, {"c", "{b}*{r}"}},
       .wordings =
           {{"数列{a}、{b}、{c}、……每个数是前一个的同样倍数，下一个数是多少？",
             "In the sequence {a}, {b}, {c}, ... each number is the same multiple of the one before. What comes "
             "next?"},
            {"找规律填数：{a}，{b}，{c}，下一个是几？", "Find the rule: {a}, {b}, {c}. What is the next number?"},
            {"等比数列的前三项是{a}、{b}、{c}，求第4项。",
             "A geometric sequence begins with {a}, {b}, {c}. Find term 4."},
            {"{a}、{b}、{c}后面照规律接着写一个数，写几？", "Which number goes on after {a}, {b}, {c}, multiplied?"}},
       .known = {"依次是{a}、{b}、{c}", "In order {a}, {b}, {c}"},
       .steps = {{"q", "{b}/{a}", {"倍数", "Multiple"}}, {"x", "{c}*{q}", {"下一个", "next"}}},
       .answer = {"{x}", "{x}"},
       .gives = "x"},
      {.name = "weekday",
       .numbers = {{"s", 1, {7, 7, 7}}, {"n", 8, {99, 990, 9900}}},
       .arrange = arrange_weekday,
       .wordings = {{"今天是{start}，{n}天后是星期几？", "Today is {start}. Which day of the week is it in {n} days?"},
                    {"如果今天是{start}，再过{n}天是星期几？",
                     "If today is {start}, what day is it {n} days from now?"},
                    {"今天{start}，求{n}天以后是星期几。", "It is {start}. Find the day of the week after {n} days."},
                    {"从{start}起过{n}天，那天是星期几？", "Counting {n} days on from {start}, which day is reached?"}},
       .known = {"{start}算第{s}天，{n}里面有{q}个7", "{start} is day {s}, 7 goes {q} times into {n}"},
       .steps = {{"m", "7*{q}", {"整周", "Whole weeks"}},
                 {"r", "{n}-{m}", {"余下", "days left"}},
                 {"e", "{s}+{r}", {"往后数", "counted on"}},
                 {"e", "{e}-7", {"超过一周", "more than a week"}, Form::whole, "{e}>7"}},
       .answer = {"{end}", "{end}"},
       .takes = "n"},
      {.name = "clock",
       .numbers = {{"h", 1, {10, 12, 12}}, {"m", 1, {59, 59, 59}}, {"d", 5, {59, 300, 600}}},
       .arrange = arrange_clock,
       .wordings = {{"现在是{start}，过{d}分钟是几点几分？", "It is {start}. What time is it {d} minutes later?"},
                    {"一场活动{start}开始，进行{d}分钟，几点几分结束？",
                     "A meeting begins at {start} and lasts {d} minutes. When does it end?"},
                    {"从{start}开始，{d}分钟以后是什么时刻？", "Starting at {start}, find the time after {d} minutes."},
                    {"{start}出发，路上用{d}分钟，什么时候到？",
                     "Somebody leaves at {start} and travels {d} minutes. At what time is the arrival?"}},
       .known = {"{h}时{m}分，加{d}分钟", "{h} hours and {m} minutes, and {d} minutes more"},
       .steps = {{"e", "{m}+{d}", {"分钟", "Minutes"}}},
       .answer = {"{end}", "{end}"},
       .takes = "d"},
      {.name = "story",
       .numbers = {{"a", 2, {60, 600, 9000}}},
       .arrange = arrange_story,
       .wordings = {{"{A}有{a}个{thing}，{clues}{last}有多少个？", "{A} has {a} {thing}. {clues} How many has {last}?"},
                    {"{A}的{thing}有{a}个，{clues}求{last}的个数。",
                     "{A}'s {thing} are {a}. {clues} Find {last}'s number."},
                    {"几个人数{thing}：{A}有{a}个，{clues}{last}有几个？",
                     "Some people count {thing}. {A} has {a}. {clues} What does {last} have?"},
                    {"已知{A}有{thing}{a}个，{clues}那么{last}的{thing}是多少个？",
                     "We know that {A} has {a} {thing}. {clues} So how many are {last}'s?"}},
       .known = {"{A}{a}个", "{A} has {a}"},
       .answer = {"{x}个", "{x} {thing}"},
       .takes = "a",
       .gives = "x",
       .has_operations = true}};
}

}  // namespace tinyllm::problems
