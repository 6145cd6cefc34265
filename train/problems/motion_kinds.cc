// Problems of distances, times, work, figures and rows of things.
#include <tinyllm/train/problems/scene.h>

namespace tinyllm::problems {
namespace {

bool arrange_time_sum(Scene& scene) { return scene.whole("b") + scene.whole("d") != 60; }

bool arrange_trees(Scene& scene) {
  static const std::array<Texts, 3> kHow = {
      {{"两端都种", "with one at both ends"}, {"两端都不种", "with none at the ends"}, {"绕一圈种", "all around it"}}};
  static const std::array<Texts, 3> kRoad = {{{"路", "road"}, {"路", "road"}, {"环形跑道", "round track"}}};
  const auto how = static_cast<size_t>(scene.whole("how"));
  scene.word("how many ends", kHow[how]);
  scene.word("road", kRoad[how]);
  if (how == 0) scene.steps.push_back({"x", "{q}+1", {"两端都种，多一棵", "Both ends, one more"}});
  if (how == 1) scene.steps.push_back({"x", "{q}-1", {"两端不种，少一棵", "No ends, one less"}});
  if (how == 2) scene.steps.push_back({"x", "{q}", {"一圈首尾相接，棵数等于段数", "Around, as many as gaps"}});
  return true;
}

}  // namespace

std::vector<Kind> motion_kinds() {
  const std::array<int64_t, kLevels> kSpeed = {90, 300, 900}, kTime = {9, 30, 90}, kLength = {50, 500, 9000};
  return {
      {.name = "time_sum",
       .numbers = {{"a", 1, {9, 99, 999}}, {"b", 1, {59, 59, 59}}, {"c", 1, {9, 99, 999}}, {"d", 1, {59, 59, 59}}},
       .arrange = arrange_time_sum,
       .wordings = {{"第一段用了{a}小时{b}分钟，第二段用了{c}小时{d}分钟，一共用了几小时几分钟？",
                     "The first part takes {a} hours {b} minutes, the second {c} hours {d} minutes. How long is that "
                     "together?"},
                    {"{a}小时{b}分钟加{c}小时{d}分钟是多少？", "Add {a} hours {b} minutes and {c} hours {d} minutes."},
                    {"{A}先学习{a}小时{b}分钟，又学习{c}小时{d}分钟，共学习多久？",
                     "{A} studies {a} hours {b} minutes and then {c} hours {d} minutes. What is the total?"},
                    {"两次训练分别是{a}小时{b}分钟和{c}小时{d}分钟，求总时间。",
                     "Two trainings last {a} hours {b} minutes and {c} hours {d} minutes. Find the time in all."}},
       .known = {"1小时等于60分钟", "One hour is 60 minutes"},
       .steps = {{"m", "{b}+{d}", {"分钟", "Minutes"}},
                 {"h", "{a}+{c}", {"小时", "hours"}},
                 {"h", "{h}+1", {"分钟满60，进1小时", "minutes make an hour"}, Form::whole, "{m}>60"},
                 {"m", "{m}-60", {"剩下的分钟", "minutes left"}, Form::whole, "{m}>60"}},
       .answer = {"{h}小时{m}分钟", "{h} hours {m} minutes"},
       .takes = "a"},
      {.name = "distance",
       .numbers = {{"v", 2, kSpeed}, {"t", 2, kTime}, {"r", 1, kLength}},
       .wordings =
           {{"一辆车每小时行{v}千米，行了{t}小时后离目的地还有{r}千米。全程多少千米？",
             "A car goes {v} km an hour. After {t} hours it is still {r} km from its goal. How long is the way?"},
            {"汽车每小时行驶{v}千米，{t}小时后还剩{r}千米，求全程。",
             "At {v} km an hour, {t} hours leave {r} km to go. Find the whole distance."},
            {"车速是每小时{v}千米，开了{t}小时，还要开{r}千米，总路程是多少千米？",
             "Driving {t} hours at {v} km an hour, and then {r} km more: how many km is that?"},
            {"行驶{t}小时，每小时{v}千米，再走{r}千米到达，这段路长几千米？",
             "A way takes {t} hours at {v} km an hour plus another {r} km. What is its length in km?"}},
       .known = {"每小时{v}千米，{t}小时，还剩{r}千米", "{v} km an hour, {t} hours, {r} km left"},
       .steps = {{"m", "{v}*{t}", {"已行", "Driven"}}, {"x", "{m}+{r}", {"全程", "in all"}}},
       .answer = {"{x}千米", "{x} km"},
       .takes = "r",
       .gives = "x"},
      {.name = "meeting",
       .numbers = {{"u", 2, kSpeed}, {"v", 2, kSpeed}, {"t", 2, kTime}},
       .given = {{"s", "({u}+{v})*{t}"}},
       .wordings =
           {{"甲乙两地相距{s}千米，两车同时相对开出，每小时分别行{u}千米和{v}千米，几小时后相遇？",
             "Two towns are {s} km apart. Two cars start towards each other at {u} and {v} km an hour. After how "
             "many hours do they meet?"},
            {"两车从相距{s}千米的两地同时相向而行，速度是每小时{u}千米和{v}千米，多少小时相遇？",
             "Two cars {s} km apart drive towards each other, at {u} km and {v} km an hour. When do they meet, in "
             "hours?"},
            {"两地距离{s}千米，一车每小时{u}千米，另一车每小时{v}千米，同时迎面开来，求相遇时间。",
             "Cars at {u} and {v} km an hour start at once from places {s} km apart, towards each other. Find the "
             "hours until they meet."},
            {"每小时行{u}千米的车与每小时行{v}千米的车相距{s}千米，相向开出，过几小时碰面？",
             "One car does {u} km an hour, one {v} km an hour, with {s} km between them. How many hours until "
             "they meet head on?"}},
       .known = {"相距{s}千米，速度{u}和{v}", "{s} km apart, speeds {u} and {v}"},
       .steps = {{"w", "{u}+{v}", {"速度和", "Speeds together"}}, {"x", "{s}/{w}", {"相遇时间", "time"}}},
       .answer = {"{x}小时", "{x} hours"},
       .gives = "x"},
      {.name = "chasing",
       .numbers = {{"v", 2, kSpeed}, {"e", 1, kSpeed}, {"t", 2, kTime}},
       .given = {{"u", "{v}+{e}"}, {"g", "{e}*{t}"}},
       .wordings =
           {{"{A}在{B}前面{g}米。{B}每分钟跑{u}米，{A}每分钟跑{v}米，{B}跑多少米追上{A}？",
             "{A} is {g} meters ahead of {B}. {B} runs {u} meters a minute, {A} {v}. How many meters does {B} run "
             "to catch up?"},
            {"{B}落后{A}{g}米，{B}的速度是每分钟{u}米，{A}是每分钟{v}米。追上时{B}跑了多少米？",
             "{B} is {g} meters behind. {B} makes {u} meters a minute and {A} {v}. How far has {B} run when level?"},
            {"{A}先走了{g}米，每分钟{v}米；{B}以每分钟{u}米去追。求{B}追上时走的路程。",
             "{A} has a start of {g} meters at {v} meters a minute. {B} follows at {u}. Find the meters {B} needs."},
            {"相距{g}米，前面的人每分钟{v}米，后面的人每分钟{u}米，后面的人走几米能赶上？",
             "With {g} meters between them, the one in front at {v} and the one behind at {u} meters a minute: how "
             "many meters until the second is level?"}},
       .known = {"相差{g}米，速度{u}和{v}", "Gap {g} meters, speeds {u} and {v}"},
       .steps = {{"w", "{u}-{v}", {"速度差", "Faster by"}},
                 {"y", "{g}/{w}", {"时间", "minutes"}},
                 {"x", "{u}*{y}", {"路程", "distance"}}},
       .answer = {"{x}米", "{x} meters"},
       .gives = "x"},
      {.name = "work",
       .numbers = {{"a", 2, {30, 90, 300}}, {"b", 2, {30, 90, 300}}},
       .wordings =
           {{"一项工程，甲队单独做要{a}天，乙队单独做要{b}天，两队合做要多少天？",
             "One team needs {a} days for a job alone, another {b} days. How many days do they need together?"},
            {"甲单独完成要{a}天，乙要{b}天，合作几天完成？",
             "Alone, {A} needs {a} days and {B} {b} days. How long do both need?"},
            {"{A}做一件工作用{a}天，{B}用{b}天，求两人一起做的天数。",
             "{A} does a job in {a} days, {B} in {b} days. Find the days for both working together."},
            {"甲{a}天能做完，乙{b}天能做完，同时做，多久做完？",
             "If one could finish in {a} days and the other in {b}, in what time do they finish side by side?"}},
       .known = {"甲每天做1/{a}，乙每天做1/{b}", "A day's work is 1/{a} and 1/{b}"},
       .steps = {{"n", "{a}+{b}", {"通分后分子", "Numerator"}},
                 {"m", "{a}*{b}", {"分母", "denominator"}},
                 {"x", "{m}/{n}", {"天数是分母除以分子", "days"}, Form::fraction}},
       .answer = {"{x}天", "{x} days"},
       .takes = "b"},
      {.name = "perimeter",
       .numbers = {{"l", 2, kLength}, {"w", 1, kLength}, {"n", 2, kTime}},
       .conditions = {"{w}<={l}"},
       .wordings =
           {{"一块长方形地长{l}米，宽{w}米，绕它走{n}圈是多少米？",
             "A field is {l} meters long and {w} meters wide. How many meters is it {n} times around?"},
            {"长方形操场长{l}米、宽{w}米，{A}跑了{n}圈，跑了多少米？",
             "{A} runs {n} rounds on a rectangle of {l} by {w} meters. How far is that?"},
            {"长{l}米、宽{w}米的长方形，{n}圈共多少米？",
             "{n} rounds of a rectangle with sides {l} and {w} meters: find the distance."},
            {"沿着长{l}米、宽{w}米的长方形花坛走{n}圈，一共走几米？",
             "Walking {n} times along the border of a garden of {l} by {w} meters, how many meters do you walk?"}},
       .known = {"长{l}米，宽{w}米，{n}圈", "Length {l}, width {w}, {n} rounds"},
       .steps = {{"h", "{l}+{w}", {"长加宽", "Both sides"}},
                 {"p", "{h}*2", {"周长", "once around"}},
                 {"x", "{p}*{n}", {"{n}圈", "{n} rounds"}}},
       .answer = {"{x}米", "{x} meters"},
       .takes = "l",
       .gives = "x"},
      {.name = "area",
       .numbers = {{"l", 2, kLength}, {"w", 2, kTime}, {"c", 2, kTime}},
       .wordings =
           {{"一间屋长{l}米，宽{w}米，铺地每平方米{c}元，一共多少元？",
             "A hall is {l} meters long and {w} meters wide. A floor costs {c} yuan a square meter. What does it "
             "cost?"},
            {"长方形地面长{l}米、宽{w}米，每平方米要{c}元，铺满要多少元？",
             "A floor of {l} by {w} meters is laid at {c} yuan a square meter. How many yuan is that?"},
            {"给长{l}米、宽{w}米的地面铺砖，每平方米{c}元，求总价。",
             "Tiles cost {c} yuan a square meter. Find the price for {l} by {w} meters."},
            {"每平方米{c}元的地板，铺在长{l}米、宽{w}米的房间里，要付几元？",
             "What must be paid for a room of {l} by {w} meters at {c} yuan for each square meter?"}},
       .known = {"长{l}米，宽{w}米，每平方米{c}元", "Length {l}, width {w}, {c} yuan each"},
       .steps = {{"m", "{l}*{w}", {"面积", "Area"}}, {"x", "{m}*{c}", {"总价", "price"}}},
       .answer = {"{x}元", "{x} yuan"},
       .takes = "c",
       .gives = "x"},
      {.name = "trees",
       .numbers = {{"g", 2, {12, 30, 90}}, {"n", 3, {30, 300, 3000}}, {"how", 0, {2, 2, 2}}},
       .given = {{"s", "{g}*{n}"}},
       .arrange = arrange_trees,
       .wordings =
           {{"一条{road}长{s}米，每隔{g}米种一棵树，{how many ends}，要种多少棵？",
             "A {road} is {s} meters long. A tree is planted every {g} meters, {how many ends}. How many trees is "
             "that?"},
            {"在{s}米长的{road}上每{g}米栽一棵树，{how many ends}，共栽几棵？",
             "Every {g} meters of a {road} of {s} meters gets a tree, {how many ends}. How many are needed?"},
            {"{road}长{s}米，树的间隔是{g}米，{how many ends}，求棵数。",
             "Trees stand {g} meters apart along a {road} of {s} meters, {how many ends}. Find their number."},
            {"{s}米的{road}，相邻两棵树相距{g}米，{how many ends}，一共有多少棵树？",
             "With {g} meters between trees, {how many ends}, what is the number of trees on a {road} of {s} "
             "meters?"}},
       .known = {"长{s}米，间隔{g}米，{how many ends}", "Length {s}, gap {g}, {how many ends}"},
       .steps = {{"q", "{s}/{g}", {"段数", "Gaps"}}},
       .answer = {"{x}棵", "{x} trees"},
       .gives = "x"},
      {.name = "ages",
       .numbers = {{"c", 6, {40, 40, 40}}, {"k", 2, {6, 6, 6}}, {"y", 1, {20, 20, 20}}},
       .given = {{"a", "{c}-{y}"}, {"b", "{k}*{c}-{y}"}},
       .conditions = {"{a}>=2", "{b}-{a}>=20", "{b}-{a}<=45", "{b}<=90"},
       .wordings = {{"{A}今年{a}岁，爸爸今年{b}岁。几年后爸爸的年龄是{A}的{k}倍？",
                     "{A} is {a} years old and the father {b}. In how many years will the father be {k} times as old?"},
                    {"爸爸{b}岁，{A}{a}岁，再过几年爸爸的岁数是{A}的{k}倍？",
                     "The father is {b}, {A} is {a}. After how many years is the father's age {k} times {A}'s?"},
                    {"今年{A}{a}岁，爸爸{b}岁，求多少年后父亲的年龄是孩子的{k}倍。",
                     "Today {A} is {a} and the father {b}. Find the years until the father is {k} times {A}'s age."},
                    {"父亲{b}岁，孩子{A}{a}岁，要等多少年，父亲的年龄才是孩子的{k}倍？",
                     "How many years must {A}, now {a}, wait until the father, now {b}, is {k} times as old?"}},
       .known = {"{A}{a}岁，爸爸{b}岁，年龄差不变", "{A} {a}, father {b}, the difference stays"},
       .steps = {{"d", "{b}-{a}", {"年龄差", "Difference"}},
                 {"m", "{k}-1", {"差的倍数", "times the child"}},
                 {"e", "{d}/{m}", {"那时{A}的年龄", "{A}'s age then"}},
                 {"x", "{e}-{a}", {"过的年数", "years"}}},
       .answer = {"{x}年", "{x} years"},
       .gives = "x"}};
}

}  // namespace tinyllm::problems
