// Problems of percentages, shares and chances.
#include <tinyllm/train/problems/scene.h>

namespace tinyllm::problems {
namespace {

bool arrange_change(Scene& scene) {
  const bool is_rise = scene.whole("rise") == 1;
  scene.word("changes", is_rise ? Texts{"涨价", "rises"} : Texts{"降价", "falls"});
  scene.word("changed", is_rise ? Texts{"提高", "raised"} : Texts{"降低", "lowered"});
  scene.steps.push_back({"x", is_rise ? "{n}+{d}" : "{n}-{d}", {"现价", "new price"}});
  return true;
}

bool arrange_balls(Scene& scene) {
  const bool is_red = scene.whole("red") == 1;
  scene.word("colour", is_red ? Texts{"红", "red"} : Texts{"蓝", "blue"});
  scene.steps.push_back({"x", is_red ? "{a}/{s}" : "{b}/{s}", {"概率", "Probability"}, Form::fraction});
  return true;
}

}  // namespace

std::vector<Kind> percentage_kinds() {
  const Number kBase{"k", 1, {25, 90, 900}}, kFives{"j", 1, {19, 19, 19}};
  const Given kWhole{"n", "{k}*20"}, kPercent{"p", "{j}*5/100", Form::percent}, kPercents{"r", "{j}*5"};
  const Step kTimes{"m", "{n}*{r}", {"先乘{r}得", "Times {r} gives"}};
  return {
      {.name = "percent_of",
       .numbers = {kBase, kFives},
       .given = {kWhole, kPercent, kPercents},
       .wordings = {{"学校有{n}名学生，其中{p}是女生，男生有多少名？",
                     "A school has {n} students, and {p} of them are girls. How many boys are there?"},
                    {"全校{n}名学生，女生占{p}，男生多少名？",
                     "Of {n} students in a school, {p} are girls. How many are boys?"},
                    {"某校共有学生{n}名，女生占全校的{p}，求男生人数。",
                     "There are {n} students, {p} of whom are girls. Find the number of boys."},
                    {"{n}名学生中，{p}是女生，其余是男生。男生有几名？",
                     "Girls are {p} of the {n} students, and the rest are boys. What is the number of boys?"}},
       .known = {"一共{n}名，女生占{p}", "{n} in all, girls {p}"},
       .steps = {kTimes, {"d", "{m}/100", {"女生", "girls"}}, {"x", "{n}-{d}", {"男生", "boys"}}},
       .answer = {"{x}名", "{x} boys"},
       .gives = "x"},
      {.name = "percent_change",
       .numbers = {kBase, kFives, {"rise", 0, {1, 1, 1}}},
       .given = {kWhole, kPercent, kPercents},
       .arrange = arrange_change,
       .wordings = {{"一台机器原价{n}元，{changes}{p}后是多少元？",
                     "A machine costs {n} yuan. Its price is {changed} by {p}. What is the new price?"},
                    {"原价{n}元的商品{changes}{p}，现价多少元？",
                     "The price of {n} yuan {changes} by {p}. What does it cost now?"},
                    {"某商品的价格是{n}元，现在{changed}了{p}，求现价。",
                     "Something costs {n} yuan, and then {p} is the change, {changed}. Find the new price."},
                    {"价格从{n}元{changed}{p}，变成多少元？",
                     "A price of {n} yuan is {changed} by {p}. How many yuan is that?"}},
       .known = {"原价{n}元，{changed}{p}", "Price {n} yuan, {changed} by {p}"},
       .steps = {kTimes, {"d", "{m}/100", {"变化的钱", "change"}}},
       .answer = {"{x}元", "{x} yuan"},
       .gives = "x"},
      {.name = "percent_reverse",
       .numbers = {kBase, kFives},
       .given = {{"y", "{k}*(100-{j}*5)/5"}, kPercent, kPercents},
       .wordings = {{"一件衣服降价{p}后卖{y}元，原价多少元？",
                     "After a discount of {p}, a coat costs {y} yuan. What was its price before?"},
                    {"降价{p}以后的价格是{y}元，求原价。",
                     "The price is {y} yuan after falling by {p}. Find the old price."},
                    {"商店把一件衣服降价{p}，现价{y}元。它原来卖多少元？",
                     "A shop lowers the price of a coat by {p} to {y} yuan. How much was it at first?"},
                    {"现价{y}元，比原价便宜{p}，原价是几元？",
                     "It costs {y} yuan now, {p} less than at first. What was the first price?"}},
       .known = {"现价{y}元，降了{p}", "Now {y} yuan, {p} less"},
       .steps = {{"q", "100-{r}", {"现价占原价的百分之几", "Percent that are left"}},
                 {"m", "{y}*100", {"现价的一百倍", "a hundred times the price"}},
                 {"x", "{m}/{q}", {"原价", "old price"}}},
       .answer = {"{x}元", "{x} yuan"},
       .gives = "x"},
      {.name = "discount",
       .numbers = {kBase, {"j", 10, {19, 19, 19}}, {"c", 1, {90, 900, 9000}}},
       .given = {kWhole, kPercent, kPercents},
       .conditions = {"{c}<{n}*{p}"},
       .wordings =
           {{"一双鞋进价{c}元，标价{n}元，按标价的{p}卖出，赚多少元？",
             "A shop buys shoes for {c} yuan, marks them {n} yuan, and sells them at {p} of that. What is the "
             "profit?"},
            {"商店以{c}元买进一双鞋，标价{n}元，实际按标价的{p}出售。利润是多少元？",
             "Shoes cost a shop {c} yuan. They are sold at {p} of the marked price of {n} yuan. Find the profit."},
            {"标价{n}元的鞋按{p}出售，进价是{c}元，求利润。",
             "Shoes marked {n} yuan sell at {p} of it. The shop paid {c} yuan. How much does it earn?"},
            {"鞋的成本是{c}元，标价是{n}元，打折后卖标价的{p}，商店能赚几元？",
             "With a cost of {c} yuan, a mark of {n} yuan and a sale at {p} of the mark, what does the shop earn?"}},
       .known = {"进价{c}元，标价{n}元，卖标价的{p}", "Cost {c} yuan, mark {n} yuan, sold at {p}"},
       .steps = {kTimes, {"d", "{m}/100", {"售价", "sold for"}}, {"x", "{d}-{c}", {"利润", "profit"}}},
       .answer = {"{x}元", "{x} yuan"},
       .takes = "c",
       .gives = "x"},
      {.name = "ratio",
       .numbers = {{"a", 1, {9, 9, 9}}, {"b", 1, {9, 9, 9}}, {"u", 2, {12, 90, 900}}},
       .given = {{"s", "{u}*({a}+{b})"}},
       .conditions = {"{a}!={b}"},
       .wordings = {{"把{s}个{thing}按{a}:{b}分给{A}和{B}，{A}分到多少个？",
                     "{s} {thing} are shared between {A} and {B} as {a}:{b}. How many does {A} get?"},
                    {"{A}和{B}按{a}:{b}分{s}个{thing}，{A}得几个？",
                     "{A} and {B} share {s} {thing} in the ratio {a}:{b}. How many are {A}'s?"},
                    {"{s}个{thing}分给{A}和{B}，个数的比是{a}:{b}，求{A}的个数。",
                     "{A} and {B} get {s} {thing} together, in the ratio {a}:{b}. Find {A}'s number."},
                    {"{A}与{B}的{thing}共{s}个，比为{a}:{b}，{A}有多少个？",
                     "Together {A} and {B} have {s} {thing}, as {a}:{b}. What is {A}'s share?"}},
       .known = {"一共{s}个，{A}{a}份，{B}{b}份", "{s} in all, {A} {a} parts, {B} {b} parts"},
       .steps = {{"n", "{a}+{b}", {"总份数", "Parts"}},
                 {"v", "{s}/{n}", {"每份", "each part"}},
                 {"x", "{v}*{a}", {"{A}的", "{A}'s"}}},
       .answer = {"{x}个", "{x} {thing}"},
       .gives = "x"},
      {.name = "probability",
       .numbers = {{"a", 2, {30, 300, 3000}}, {"b", 2, {30, 300, 3000}}, {"red", 0, {1, 1, 1}}},
       .arrange = arrange_balls,
       .wordings = {{"盒子里有{a}个红球和{b}个蓝球，随机取一个{colour}球的概率是多少？",
                     "A box has {a} red balls and {b} blue balls. What is the probability of drawing a {colour} ball?"},
                    {"袋中有红球{a}个、蓝球{b}个，任意摸一个，是{colour}球的概率是多少？",
                     "From {a} red and {b} blue balls one is drawn. How likely is a {colour} ball?"},
                    {"从{a}个红球和{b}个蓝球中任取一个，求取到{colour}球的概率。",
                     "One ball is taken from {a} red and {b} blue ones. Find the probability that it is {colour}."},
                    {"{a}个红球、{b}个蓝球放在一起，摸到{colour}球的可能性是几分之几？",
                     "With {a} red and {b} blue balls in a bag, which fraction of draws gives a {colour} one?"}},
       .known = {"红球{a}个，蓝球{b}个，要{colour}球", "Red {a}, blue {b}, wanted {colour}"},
       .steps = {{"s", "{a}+{b}", {"总数", "In all"}}},
       .answer = {"{x}", "{x}"},
       .takes = "a"},
      {.name = "two_draws",
       .numbers = {{"a", 2, {12, 90, 300}}, {"b", 1, {12, 90, 300}}},
       .wordings = {{"盒子里有{a}个红球和{b}个蓝球，不放回地取两次，两次都是红球的概率是多少？",
                     "A box has {a} red and {b} blue balls. Two are drawn without putting any back. What is the "
                     "probability that both are red?"},
                    {"从{a}个红球、{b}个蓝球中先后取两个，不放回，都取到红球的概率是多少？",
                     "From {a} red and {b} blue balls two are taken one after the other. How likely are two red ones?"},
                    {"袋中有红球{a}个、蓝球{b}个，一次摸出两个，求两个都是红球的概率。",
                     "There are {a} red balls and {b} blue balls. Find the probability that two drawn balls are red."},
                    {"{a}个红球和{b}个蓝球里任取两个，全是红球的可能性是几分之几？",
                     "Two of {a} red and {b} blue balls are picked. In which fraction of cases are both red?"}},
       .known = {"红球{a}个，蓝球{b}个，取两个红球", "Red {a}, blue {b}, two red wanted"},
       .steps = {{"s", "{a}+{b}", {"总数", "In all"}},
                 {"e", "{a}-1", {"剩下的红球", "red ones left"}},
                 {"t", "{s}-1", {"剩下的球", "balls left"}},
                 {"u", "{a}*{e}", {"分子", "numerator"}},
                 {"v", "{s}*{t}", {"分母", "denominator"}},
                 {"x", "{u}/{v}", {"概率", "probability"}, Form::fraction}},
       .answer = {"{x}", "{x}"},
       .takes = "b"}};
}

}  // namespace tinyllm::problems
