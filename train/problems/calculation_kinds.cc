// Problems that say what to calculate.
#include <tinyllm/train/problems/scene.h>

#include <fmt/format.h>

#include <numeric>

namespace tinyllm::problems {
namespace {

struct BracketForm {
  std::string expression;
  std::vector<Step> steps;
  std::vector<std::string> operations;
};

bool arrange_brackets(Scene& scene) {
  const Texts sum = {"先算括号", "Brackets first"}, next = {"再算乘除", "then the product or quotient"},
              last = {"最后", "last"};
  static const std::vector<BracketForm> kForms = {
      {"{a}*({b}+{c})-{d}",
       {{"s", "{b}+{c}", sum}, {"m", "{a}*{s}", next}, {"x", "{m}-{d}", last}},
       {"sum", "times", "minus"}},
      {"{a}*({b}-{c})+{d}",
       {{"s", "{b}-{c}", sum}, {"m", "{a}*{s}", next}, {"x", "{m}+{d}", last}},
       {"difference", "times", "plus"}},
      {"({b}+{c})*{a}", {{"s", "{b}+{c}", sum}, {"x", "{s}*{a}", last}}, {"sum", "times"}},
      {"{d}+{a}*{b}", {{"m", "{a}*{b}", {"先算乘法", "Product first"}}, {"x", "{d}+{m}", last}}, {"times", "plus"}},
      {"{d}-{a}*{b}", {{"m", "{a}*{b}", {"先算乘法", "Product first"}}, {"x", "{d}-{m}", last}}, {"times", "minus"}},
      {"({b}-{c})*{a}", {{"s", "{b}-{c}", sum}, {"x", "{s}*{a}", last}}, {"difference", "times"}},
      {"{p}/{a}+{d}", {{"m", "{p}/{a}", {"先算除法", "Quotient first"}}, {"x", "{m}+{d}", last}}, {"over", "plus"}},
      {"{p}/{a}-{c}", {{"m", "{p}/{a}", {"先算除法", "Quotient first"}}, {"x", "{m}-{c}", last}}, {"over", "minus"}}};
  const BracketForm& form = kForms[static_cast<size_t>(scene.draw(0, static_cast<int64_t>(kForms.size()) - 1))];
  const auto uses = [&](const std::string& name) {
    return form.expression.find(fmt::format("{{{}}}", name)) != std::string::npos;
  };
  const Value& c = scene.values.at("c");
  if (c.said != c.text && !uses("c")) return false;  // What was taken must be of use.
  // Numbers that the form does not use are no part of the problem.
  for (size_t i = 0; i < scene.numbers.size(); ++i) {
    const std::string& name = scene.kind->numbers[i].name;
    if (!uses(name) && !(name == "b" && uses("p"))) scene.numbers[i] = 0;
  }
  scene.more.push_back(&form - kForms.data());
  scene.steps = form.steps;
  scene.operations = form.operations;
  scene.words["expression"] = scene.filled(form.expression, true);
  return true;
}

bool arrange_fraction_sum(Scene& scene) {
  const int64_t d1 = scene.whole("d1"), d2 = scene.whole("d2");
  if (std::gcd(scene.whole("n1"), d1) > 1 || std::gcd(scene.whole("n2"), d2) > 1) return false;
  const bool is_minus = scene.whole("minus") == 1;
  if (is_minus && !scene.holds("{p}>{q}")) return false;
  const int64_t common = std::lcm(d1, d2);
  scene.put("common", common);
  scene.put("f1", common / d1);
  scene.put("f2", common / d2);
  scene.words["sign"] = std::string(1, is_minus ? '-' : '+');
  scene.word("noun", is_minus ? Texts{"差", "difference"} : Texts{"和", "sum"});
  scene.steps = {{"u", "{n1}*{f1}", {"第一个分子", "First numerator"}},
                 {"v", "{n2}*{f2}", {"第二个分子", "second numerator"}},
                 {"w", is_minus ? "{u}-{v}" : "{u}+{v}", {"合起来", "together"}},
                 {"x", "{w}/{common}", {"结果", "result"}, Form::fraction}};
  return true;
}

bool arrange_fraction_product(Scene& scene) {
  if (std::gcd(scene.whole("n1"), scene.whole("d1")) > 1 || std::gcd(scene.whole("n2"), scene.whole("d2")) > 1) {
    return false;
  }
  const bool is_quotient = scene.whole("over") == 1;
  scene.word("sign", is_quotient ? Texts{"÷", "÷"} : Texts{"×", "×"});
  scene.word("noun", is_quotient ? Texts{"商", "quotient"} : Texts{"积", "product"});
  scene.word("rule", is_quotient
                         ? Texts{"除以一个分数等于乘它的倒数", "Dividing by a fraction is multiplying by its inverse"}
                         : Texts{"分子乘分子，分母乘分母", "Multiply the numerators, and the denominators"});
  scene.steps = {{"u", is_quotient ? "{n1}*{d2}" : "{n1}*{n2}", {"分子", "Numerator"}},
                 {"v", is_quotient ? "{d1}*{n2}" : "{d1}*{d2}", {"分母", "denominator"}},
                 {"x", "{u}/{v}", {"结果", "result"}, Form::fraction}};
  return true;
}

}  // namespace

std::vector<Kind> calculation_kinds() {
  const std::array<int64_t, kLevels> kDenominators = {12, 24, 99}, kChoice = {1, 1, 1};
  return {{.name = "brackets",
           .numbers = {{"a", 2, {12, 90, 900}},
                       {"b", 1, {30, 300, 9000}},
                       {"c", 1, {30, 300, 9000}},
                       {"d", 1, {90, 900, 90000}}},
           .given = {{"p", "{a}*{b}"}},
           .arrange = arrange_brackets,
           .wordings = {{"计算：{expression}。", "Calculate {expression}."},
                        {"{expression}等于多少？", "What is {expression}?"},
                        {"请算出{expression}的值。", "Find the value of {expression}."},
                        {"{expression}的结果是几？", "How much is {expression}?"}},
           .answer = {"{x}", "{x}"},
           .takes = "c",
           .gives = "x",
           .has_operations = true},
          {.name = "fraction_sum",
           .numbers = {{"n1", 1, kDenominators},
                       {"d1", 2, kDenominators},
                       {"n2", 1, kDenominators},
                       {"d2", 2, kDenominators},
                       {"minus", 0, kChoice}},
           .given = {{"p", "{n1}/{d1}", Form::fraction}, {"q", "{n2}/{d2}", Form::fraction}},
           .conditions = {"{n1}<{d1}", "{n2}<{d2}"},
           .arrange = arrange_fraction_sum,
           .wordings = {{"计算：{p}{sign}{q}。", "Calculate {p}{sign}{q}."},
                        {"{p}{sign}{q}等于多少？", "What is {p}{sign}{q}?"},
                        {"求{p}与{q}的{noun}。", "Find the {noun} of {p} and {q}."},
                        {"{p}和{q}的{noun}是多少？", "How much is the {noun} of {p} and {q}?"}},
           .known = {"公分母是{common}", "The common denominator is {common}"},
           .answer = {"{x}", "{x}"}},
          {.name = "fraction_product",
           .numbers = {{"n1", 1, kDenominators},
                       {"d1", 2, kDenominators},
                       {"n2", 1, kDenominators},
                       {"d2", 2, kDenominators},
                       {"over", 0, kChoice}},
           .given = {{"p", "{n1}/{d1}", Form::fraction}, {"q", "{n2}/{d2}", Form::fraction}},
           .conditions = {"{n1}<{d1}", "{n2}<{d2}"},
           .arrange = arrange_fraction_product,
           .wordings = {{"计算：({p}){sign}({q})。", "Calculate ({p}){sign}({q})."},
                        {"({p}){sign}({q})等于多少？", "What is ({p}){sign}({q})?"},
                        {"求{p}与{q}的{noun}。", "Find the {noun} of {p} and {q}."},
                        {"{p}和{q}的{noun}是多少？", "How much is the {noun} of {p} and {q}?"}},
           .known = {"{rule}", "{rule}"},
           .answer = {"{x}", "{x}"}},
          {.name = "decimals",
           .numbers = {{"a", 11, {99, 999, 9999}}, {"b", 11, {99, 999, 9999}}, {"n", 2, {9, 90, 900}}},
           .given = {{"u", "{a}/10", Form::decimal}, {"v", "{b}/10", Form::decimal}},
           .wordings =
               {{"一支笔{u}元，一个本子{v}元。买{n}支笔和1个本子要多少元？",
                 "A pen costs {u} yuan and a notebook {v} yuan. What do {n} pens and 1 notebook cost?"},
                {"笔每支{u}元，本子每个{v}元，{n}支笔和1个本子一共多少元？",
                 "Pens are {u} yuan each, and a notebook is {v} yuan. How much are {n} pens and 1 notebook together?"},
                {"{A}买了{n}支{u}元的笔和1个{v}元的本子，一共花了多少元？",
                 "{A} buys {n} pens at {u} yuan and 1 notebook at {v} yuan. How much does {A} pay?"},
                {"每支笔的价钱是{u}元，每个本子的价钱是{v}元。{n}支笔加1个本子，共付多少元？",
                 "The price of a pen is {u} yuan, that of a notebook {v} yuan. Find the price of {n} pens and 1 "
                 "notebook."}},
           .known = {"笔{u}元，{n}支，本子{v}元", "Pens {u} yuan, {n} of them, notebook {v} yuan"},
           .steps = {{"m", "{u}*{n}", {"笔的钱", "Pens"}, Form::decimal},
                     {"x", "{m}+{v}", {"一共", "in all"}, Form::decimal}},
           .answer = {"{x}元", "{x} yuan"},
           .takes = "n"},
          {.name = "equation",
           .numbers = {{"k", 2, {9, 90, 900}}, {"y", 1, {30, 300, 3000}}, {"b", 1, {90, 900, 9000}}},
           .given = {{"c", "{k}*{y}+{b}"}},
           .wordings = {{"解方程：{k}x+{b}={c}。", "Solve {k}x+{b}={c}."},
                        {"已知{k}x+{b}={c}，求x。", "Given {k}x+{b}={c}, find x."},
                        {"一个数的{k}倍加上{b}等于{c}，这个数是多少？",
                         "{k} times a number plus {b} is {c}. What is the number?"},
                        {"什么数乘{k}再加{b}得{c}？", "Which number times {k}, plus {b}, gives {c}?"}},
           .known = {"未知数的{k}倍加{b}是{c}", "{k} times the unknown plus {b} is {c}"},
           .steps = {{"m", "{c}-{b}", {"减去{b}以后", "Subtracting {b} leaves"}},
                     {"x", "{m}/{k}", {"除以{k}以后", "dividing by {k} leaves"}}},
           .answer = {"{x}", "{x}"},
           .gives = "x"},
          {.name = "equation_both_sides",
           .numbers =
               {{"j", 2, {9, 90, 900}}, {"e", 2, {9, 90, 900}}, {"y", 1, {30, 300, 3000}}, {"b", 1, {90, 900, 9000}}},
           .given = {{"k", "{j}+{e}"}, {"c", "{e}*{y}+{b}"}},
           .wordings = {{"解方程：{k}x+{b}={j}x+{c}。", "Solve {k}x+{b}={j}x+{c}."},
                        {"已知{k}x+{b}={j}x+{c}，求x。", "Given {k}x+{b}={j}x+{c}, find x."},
                        {"一个数的{k}倍加{b}等于它的{j}倍加{c}，这个数是多少？",
                         "{k} times a number plus {b} equals {j} times it plus {c}. What is the number?"},
                        {"什么数的{k}倍多{b}和它的{j}倍多{c}一样大？",
                         "For which number is {k} times it and {b} as much as {j} times it and {c}?"}},
           .known = {"左边{k}倍加{b}，右边{j}倍加{c}", "Left {k} times and {b}, right {j} times and {c}"},
           .steps = {{"n", "{k}-{j}", {"左边多的倍数", "More times on the left"}},
                     {"m", "{c}-{b}", {"右边多的数", "more on the right"}},
                     {"x", "{m}/{n}", {"相除", "divide"}}},
           .answer = {"{x}", "{x}"},
           .gives = "x"}};
}

}  // namespace tinyllm::problems
