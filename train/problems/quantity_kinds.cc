// Problems of what people have, pay and share.
#include <tinyllm/train/problems/scene.h>

namespace tinyllm::problems {
namespace {

bool arrange_difference(Scene& scene) {
  const int64_t a = scene.whole("a"), b = scene.whole("b");
  scene.words["more"] = scene.words[a > b ? "A" : "B"];
  scene.put("high", std::max(a, b));
  scene.put("low", std::min(a, b));
  return true;
}

bool arrange_units(Scene& scene) {
  struct Unit {
    Texts large, small;
    int64_t factor;
  };
  static const std::vector<Unit> kUnits = {
      {{"米", "meters"}, {"厘米", "centimeters"}, 100}, {{"千克", "kilograms"}, {"克", "grams"}, 1000},
      {{"小时", "hours"}, {"分钟", "minutes"}, 60},     {{"千米", "kilometers"}, {"米", "meters"}, 1000},
      {{"天", "days"}, {"小时", "hours"}, 24},          {{"分钟", "minutes"}, {"秒", "seconds"}, 60},
      {{"升", "liters"}, {"毫升", "milliliters"}, 1000}};
  const Unit& unit = kUnits[static_cast<size_t>(scene.whole("unit"))];
  if (scene.whole("b") >= unit.factor) return false;
  scene.word("large", unit.large);
  scene.word("small", unit.small);
  scene.put("f", unit.factor);
  return true;
}

bool arrange_money(Scene& scene) {
  const int64_t change = 10 * scene.whole("w") - 10 * scene.whole("a") - scene.whole("b");
  if (change <= 0) return false;
  scene.put("q", change / 10);
  scene.steps.push_back({"y", "10*{q}", {"其中整元是{q}元", "of that {q} whole yuan"}});
  scene.steps.push_back({"z", "{x}-{y}", {"剩下的角", "jiao left"}});
  return true;
}

bool arrange_remainder(Scene& scene) {
  const int64_t n = scene.whole("n"), d = scene.whole("d");
  if (n < d || n % d == 0) return false;
  scene.put("q", n / d);
  return true;
}

}  // namespace

std::vector<Kind> quantity_kinds() {
  const std::array<int64_t, kLevels> kCount = {40, 400, 9000}, kFew = {9, 90, 900};
  return {
      {.name = "difference",
       .numbers = {{"a", 1, {90, 900, 90000}}, {"b", 1, {90, 900, 90000}}},
       .conditions = {"{a}!={b}"},
       .arrange = arrange_difference,
       .wordings = {{"{A}有{a}个{thing}，{B}有{b}个{thing}，谁的多，多几个？",
                     "{A} has {a} {thing} and {B} has {b}. Who has more, and how many more?"},
                    {"{A}的{thing}有{a}个，{B}的有{b}个。谁多？多多少个？",
                     "There are {a} {thing} for {A} and {b} for {B}. Who has more, and by how many?"},
                    {"{thing}：{A}{a}个，{B}{b}个。比较谁的多，多几个。",
                     "{A}: {a} {thing}. {B}: {b} {thing}. Say who has more and how many more."},
                    {"{A}摘了{a}个{thing}，{B}摘了{b}个，哪个人摘得多，多多少？",
                     "{A} found {a} {thing} and {B} found {b}. Which of them found more, and how many more?"}},
       .known = {"{A}{a}个，{B}{b}个，{high}大于{low}，{more}多",
                 "{A} {a}, {B} {b}, {high} is above {low}, {more} has more"},
       .steps = {{"x", "{high}-{low}", {"相差", "Difference"}}},
       .answer = {"{more}多{x}个", "{more} has {x} more"},
       .takes = "a"},
      {.name = "multiples",
       .numbers = {{"a", 2, kCount}, {"k", 2, kFew}, {"b", 1, kCount}},
       .wordings = {{"{A}有{a}个{thing}，{B}的{thing}比{A}的{k}倍多{b}个。两人一共有多少个？",
                     "{A} has {a} {thing}. {B} has {b} more than {k} times as many. How many do both have together?"},
                    {"{A}有{thing}{a}个，{B}有的是{A}的{k}倍还多{b}个，两人共有几个？",
                     "{B} has {k} times as many {thing} as {A}, and {b} more. {A} has {a}. How many are there in all?"},
                    {"{B}的{thing}数等于{A}的{k}倍加{b}，{A}有{a}个。求两人的总数。",
                     "{A} has {a} {thing}, {B} has {k} times that number plus {b}. Find the total."},
                    {"已知{A}有{a}个{thing}，{B}比这个数的{k}倍多{b}个，合起来是多少个？",
                     "If {A} has {a} {thing} and {B} has {b} more than {k} times that, how many is that together?"}},
       .known = {"{A}{a}个，{B}是{k}倍多{b}个", "{A} {a}, {B} {k} times that and {b}"},
       .steps = {{"m", "{a}*{k}", {"{k}倍", "{k} times"}},
                 {"y", "{m}+{b}", {"{B}", "{B}"}},
                 {"x", "{a}+{y}", {"一共", "together"}}},
       .answer = {"{x}个", "{x} {thing}"},
       .takes = "a",
       .gives = "x"},
      {.name = "sum_difference",
       .numbers = {{"a", 2, {50, 500, 9000}}, {"b", 1, {50, 500, 9000}}},
       .given = {{"s", "{a}+{b}"}, {"d", "{a}-{b}"}},
       .conditions = {"{a}>{b}"},
       .wordings = {{"两个数的和是{s}，差是{d}，较大的数是多少？",
                     "Two numbers have the sum {s} and the difference {d}. What is the larger one?"},
                    {"甲数与乙数的和为{s}，甲数比乙数大{d}，甲数是多少？",
                     "The sum of two numbers is {s}, and one is {d} more than the other. Find the larger."},
                    {"{A}和{B}共有{s}个{thing}，{A}比{B}多{d}个。{A}有几个？",
                     "{A} and {B} have {s} {thing} together, {A} has {d} more than {B}. How many has {A}?"},
                    {"大数加小数得{s}，大数减小数得{d}，求大数。",
                     "Adding two numbers gives {s}, subtracting them gives {d}. Which is the larger number?"}},
       .known = {"和{s}，差{d}", "Sum {s}, difference {d}"},
       .steps = {{"t", "{s}+{d}", {"和加差是大数的两倍", "Sum and difference are twice the larger"}},
                 {"x", "{t}/2", {"大数", "larger"}}},
       .answer = {"{x}", "{x}"},
       .gives = "x"},
      {.name = "sum_multiple",
       .numbers = {{"a", 2, kCount}, {"k", 2, kFew}},
       .given = {{"s", "{a}*({k}+1)"}},
       .wordings = {{"{A}和{B}共有{s}个{thing}，{A}的是{B}的{k}倍，{A}有多少个？",
                     "{A} and {B} have {s} {thing} together. {A} has {k} times as many as {B}. How many has {A}?"},
                    {"两人共有{thing}{s}个，其中{A}是{B}的{k}倍，求{A}的个数。",
                     "Together {A} and {B} have {s} {thing}, {A} {k} times as many as {B}. Find {A}'s number."},
                    {"{A}、{B}一共有{s}个{thing}。{A}的个数是{B}的{k}倍，{A}有几个？",
                     "There are {s} {thing}. {A}'s are {k} times {B}'s, and nobody else has any. How many are {A}'s?"},
                    {"{s}个{thing}分成两份，{A}的一份是{B}的{k}倍，{A}的一份是几个？",
                     "{s} {thing} are split so that {A} gets {k} times what {B} gets. What does {A} get?"}},
       .known = {"一共{s}个，{A}是{B}的{k}倍", "{s} in all, {A} has {k} times {B}'s"},
       .steps = {{"n", "{k}+1", {"总份数", "Parts"}},
                 {"b", "{s}/{n}", {"{B}", "{B}"}},
                 {"x", "{b}*{k}", {"{A}", "{A}"}}},
       .answer = {"{x}个", "{x} {thing}"},
       .gives = "x"},
      {.name = "average",
       .numbers = {{"m", 5, {90, 900, 9000}}, {"a", 1, {99, 990, 9900}}, {"b", 1, {99, 990, 9900}}},
       .given = {{"c", "3*{m}-{a}-{b}"}},
       .conditions = {"{c}>0", "{c}<2*{m}"},
       .wordings = {{"三天分别卖出{a}、{b}和{c}张票，平均每天卖出多少张？",
                     "On three days {a}, {b} and {c} tickets were sold. How many were sold a day on average?"},
                    {"三个班各有{a}本、{b}本、{c}本书，平均每班多少本？",
                     "Three classes have {a}, {b} and {c} books. What is the average?"},
                    {"求{a}、{b}、{c}的平均数。", "Find the mean of {a}, {b} and {c}."},
                    {"{a}、{b}、{c}这三个数平均是多少？", "What is the average of the numbers {a}, {b} and {c}?"}},
       .known = {"三个数：{a}、{b}、{c}", "Three numbers: {a}, {b}, {c}"},
       .steps = {{"s", "{a}+{b}", {"前两个的和", "First two"}},
                 {"t", "{s}+{c}", {"总和", "all three"}},
                 {"x", "{t}/3", {"平均", "average"}}},
       .answer = {"{x}", "{x}"},
       .gives = "x"},
      {.name = "units",
       .numbers = {{"a", 1, {20, 200, 2000}}, {"b", 1, {99, 999, 999}}, {"unit", 0, {6, 6, 6}}},
       .arrange = arrange_units,
       .wordings = {{"{a}{large}{b}{small}是多少{small}？", "How many {small} are {a} {large} and {b} {small}?"},
                    {"把{a}{large}{b}{small}换算成{small}。", "Write {a} {large} and {b} {small} in {small}."},
                    {"{a}{large}再加{b}{small}，一共多少{small}？",
                     "{a} {large} and another {b} {small}: how many {small} is that?"},
                    {"{a}{large}又{b}{small}等于几{small}？", "Convert {a} {large} {b} {small} to {small}."}},
       .known = {"1{large}等于{f}{small}", "One of the {large} is {f} {small}"},
       .steps = {{"m", "{a}*{f}", {"{a}{large}", "{a} {large}"}}, {"x", "{m}+{b}", {"一共", "in all"}}},
       .answer = {"{x}{small}", "{x} {small}"},
       .takes = "a",
       .gives = "x"},
      {.name = "money",
       .numbers = {{"a", 1, {90, 900, 9000}}, {"b", 1, {9, 9, 9}}, {"w", 2, {99, 999, 9990}}},
       .arrange = arrange_money,
       .wordings = {{"一本书{a}元{b}角，付{w}元，找回几元几角？",
                     "A book costs {a} yuan {b} jiao. {A} pays {w} yuan. What is the change in yuan and jiao?"},
                    {"{A}付了{w}元，买{a}元{b}角的书，应找回几元几角？",
                     "{A} gives {w} yuan for a book of {a} yuan {b} jiao. How many yuan and jiao come back?"},
                    {"书价{a}元{b}角，{A}给店员{w}元，求找回的钱。",
                     "The price is {a} yuan {b} jiao, and {w} yuan are paid. Find the change."},
                    {"用{w}元买一本{a}元{b}角的书，还剩几元几角？",
                     "After buying a book of {a} yuan {b} jiao with {w} yuan, how much is left?"}},
       .known = {"1元等于10角", "One yuan is 10 jiao"},
       .steps = {{"m", "{a}*10", {"书的整元", "Whole yuan of the book"}},
                 {"p", "{m}+{b}", {"书价", "price"}},
                 {"v", "{w}*10", {"付的钱", "paid"}},
                 {"x", "{v}-{p}", {"找回的角", "change"}}},
       .answer = {"{q}元{z}角", "{q} yuan {z} jiao"},
       .takes = "a"},
      {.name = "shopping",
       .numbers = {{"p", 2, {20, 200, 2000}}, {"n", 2, kFew}, {"r", 1, {90, 900, 9000}}},
       .given = {{"w", "{p}*{n}+{r}"}},
       .wordings = {{"{A}买{n}个{thing}，每个{p}元，付了{w}元，应找回多少元？",
                     "{A} buys {n} {thing} at {p} yuan each and pays {w} yuan. What is the change?"},
                    {"{thing}每个{p}元，{A}带{w}元买了{n}个，还剩多少元？",
                     "One of the {thing} costs {p} yuan. {A} has {w} yuan and buys {n}. How much is left?"},
                    {"每个{thing}{p}元，买{n}个，付{w}元，求找回的钱。",
                     "{n} {thing} are bought at {p} yuan each with {w} yuan. Find the change."},
                    {"{A}有{w}元，买了{n}个单价{p}元的{thing}后，手里还有几元？",
                     "Of {w} yuan, {A} spends {p} yuan on each of {n} {thing}. How many yuan remain?"}},
       .known = {"单价{p}元，{n}个，付{w}元", "{p} yuan each, {n} of them, {w} yuan paid"},
       .steps = {{"m", "{p}*{n}", {"花的钱", "Cost"}}, {"x", "{w}-{m}", {"剩下", "left"}}},
       .answer = {"{x}元", "{x} yuan"},
       .gives = "x"},
      {.name = "remainder",
       .numbers = {{"n", 5, {99, 990, 9900}}, {"d", 3, {12, 40, 90}}},
       .arrange = arrange_remainder,
       .wordings = {{"{n}个{thing}，每盒装{d}个，装满若干盒后还剩几个？",
                     "{n} {thing} are put into boxes of {d}. How many are left over?"},
                    {"把{n}个{thing}每{d}个装一盒，最后剩下几个？",
                     "Boxes hold {d} {thing} each. After filling boxes from {n} {thing}, how many remain?"},
                    {"{n}除以{d}，余数是多少？", "What is the remainder of {n} divided by {d}?"},
                    {"{n}个{thing}平均分成每组{d}个，不够一组的有几个？",
                     "{n} {thing} are grouped by {d}. How many do not make a full group?"}},
       .known = {"{n}里面有{q}个{d}", "{d} goes {q} times into {n}"},
       .steps = {{"m", "{d}*{q}", {"装满的", "In full groups"}}, {"x", "{n}-{m}", {"剩下", "left"}}},
       .answer = {"{x}个", "{x}"},
       .takes = "n"},
      {.name = "chickens_and_rabbits",
       .numbers = {{"r", 1, kCount}, {"c", 1, kCount}},
       .given = {{"h", "{r}+{c}"}, {"l", "4*{r}+2*{c}"}},
       .wordings = {{"鸡和兔共有{h}只，腿共有{l}条，兔有多少只？",
                     "Chickens and rabbits have {h} heads and {l} legs. How many rabbits are there?"},
                    {"笼子里有鸡和兔，数头{h}个，数脚{l}只，兔有几只？",
                     "A cage has chickens and rabbits, with {h} heads and {l} feet. How many are rabbits?"},
                    {"鸡兔同笼，共{h}个头、{l}条腿，求兔的只数。",
                     "There are {h} animals, chickens and rabbits, with {l} legs. Find the number of rabbits."},
                    {"农场的鸡和兔一共{h}只，一共{l}条腿，其中兔子是多少只？",
                     "Of {h} chickens and rabbits on a farm with {l} legs in all, how many are rabbits?"}},
       .known = {"头{h}个，腿{l}条，假设全是鸡", "{h} heads, {l} legs, suppose all are chickens"},
       .steps = {{"m", "{h}*2", {"应有腿", "Legs then"}},
                 {"d", "{l}-{m}", {"多出腿", "more legs"}},
                 {"x", "{d}/2", {"兔", "rabbits"}}},
       .answer = {"{x}只", "{x} rabbits"},
       .gives = "x"}};
}

}  // namespace tinyllm::problems
