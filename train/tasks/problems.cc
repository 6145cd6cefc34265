#include <tinyllm/train/tasks/problems.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <array>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

namespace tinyllm {
namespace {

// Draws for one problem. A maker returns nothing if the numbers do not make a sensible problem. It is then called
// again.
struct Draw {
  Random& random;

  int64_t number(int64_t low, int64_t high) { return low + random.below(high - low + 1); }
  template <class T, size_t N>
  const T& pick(const std::array<T, N>& choices) {
    return choices[static_cast<size_t>(random.below(static_cast<int64_t>(N)))];
  }
};
using Maybe = std::optional<Problem>;

constexpr const char* kSystem = "你是严谨的中文推理助手";
constexpr const char* kEnglishSystem = "You are a careful reasoning assistant.";

Problem chinese(std::string kind, std::string question, std::string cot, const std::string& answer) {
  return {std::move(kind), kSystem, std::move(question), std::move(cot), fmt::format("答案：{}。", answer)};
}

Problem english(std::string kind, std::string question, std::string cot, const std::string& answer) {
  return {std::move(kind), kEnglishSystem, std::move(question), std::move(cot), fmt::format("Answer: {}.", answer)};
}

// ---- Bracketed expressions ------------------------------------------------------------------------------------------

Maybe expression(Draw& draw) {
  const int64_t a = draw.number(2, 12), b = draw.number(1, 9), c = draw.number(1, 9), d = draw.number(1, 30);
  static constexpr std::array kAsk = {"计算：{}", "请计算{}", "{}等于多少？"};
  const auto made = [&](const std::string& text, const std::string& cot, int64_t value) -> Maybe {
    if (value < 0) return {};
    return chinese("expression", fmt::format(fmt::runtime(draw.pick(kAsk)), text), cot, std::to_string(value));
  };
  switch (draw.number(0, 5)) {
    case 0:
      return made(fmt::format("{}*({}+{})-{}", a, b, c, d),
                  fmt::format("先计算括号：{}+{}={}。然后乘法：{}*{}={}。最后减法：{}-{}={}。", b, c, b + c, a, b + c,
                              a * (b + c), a * (b + c), d, a * (b + c) - d),
                  a * (b + c) - d);
    case 1:
      if (b <= c) return {};
      return made(fmt::format("{}*({}-{})+{}", a, b, c, d),
                  fmt::format("先计算括号：{}-{}={}。然后乘法：{}*{}={}。最后加法：{}+{}={}。", b, c, b - c, a, b - c,
                              a * (b - c), a * (b - c), d, a * (b - c) + d),
                  a * (b - c) + d);
    case 2:
      return made(fmt::format("({}+{})*{}", b, c, a),
                  fmt::format("先计算括号：{}+{}={}。最后乘法：{}*{}={}。", b, c, b + c, b + c, a, (b + c) * a),
                  (b + c) * a);
    case 3:
      return made(fmt::format("{}+{}*{}", d, a, b),
                  fmt::format("先计算乘法：{}*{}={}。最后加法：{}+{}={}。", a, b, a * b, d, a * b, d + a * b),
                  d + a * b);
    case 4:
      return made(fmt::format("{}*{}-{}", a, b, d),
                  fmt::format("先计算乘法：{}*{}={}。最后减法：{}-{}={}。", a, b, a * b, a * b, d, a * b - d),
                  a * b - d);
    default: {
      const int64_t sum = a * b;  // So that the division comes out even.
      if (d >= sum) return {};
      return made(fmt::format("({}+{})/{}", sum - d, d, a),
                  fmt::format("先计算括号：{}+{}={}。最后除法：{}/{}={}。", sum - d, d, sum, sum, a, b), b);
    }
  }
}

// ---- Coloured balls -------------------------------------------------------------------------------------------------

constexpr std::array kColours = {"红", "蓝", "黄", "绿", "白", "黑"};

// part/whole, followed by the steps of its reduction to lowest terms if it can be reduced.
std::string fraction(int64_t part, int64_t whole, std::string_view comma) {
  const int64_t divisor = std::gcd(part, whole);
  if (divisor == 1) return fmt::format("{}/{}", part, whole);
  return fmt::format("{0}/{1}{5}{0}/{2}={3}{5}{1}/{2}={4}{5}{0}/{1}={3}/{4}", part, whole, divisor, part / divisor,
                     whole / divisor, comma);
}
std::string lowest(int64_t part, int64_t whole) {
  const int64_t divisor = std::gcd(part, whole);
  return fmt::format("{}/{}", part / divisor, whole / divisor);
}

Maybe balls(Draw& draw) {
  static constexpr std::array kContainers = {"盒子", "袋子"};
  const int64_t kinds = draw.number(2, 3);
  std::vector<std::string> colours;
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < kinds; ++i) {
    colours.emplace_back(draw.pick(kColours));
    counts.push_back(draw.number(1, kinds == 2 ? 12 : 9));
  }
  if (std::set<std::string>(colours.begin(), colours.end()).size() != colours.size()) return {};
  const auto asked = static_cast<size_t>(draw.number(0, kinds - 1));
  std::string held, restated, sum;
  int64_t so_far = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const char* joint = i == 0 ? "" : i + 1 == counts.size() ? "和" : "、";
    held += fmt::format("{}{}个{}球", joint, counts[i], colours[i]);
    restated += fmt::format("{}{}{}球{}个", i == 0 ? "" : "，", i == asked ? "要取的" : "", colours[i], counts[i]);
    if (i > 0) sum += fmt::format("{}{}+{}={}", i == 1 ? "" : "，", so_far, counts[i], so_far + counts[i]);
    so_far += counts[i];
  }
  return chinese(
      "balls", fmt::format("一个{}里有{}，随机取一个{}球的概率是多少？", draw.pick(kContainers), held, colours[asked]),
      fmt::format("{}。总球数为{}。要取的{}球{}个，概率={}。", restated, sum, colours[asked], counts[asked],
                  fraction(counts[asked], so_far, "，")),
      lowest(counts[asked], so_far));
}

// ---- Rates ----------------------------------------------------------------------------------------------------------

Maybe rate(Draw& draw) {
  static constexpr std::array kThings = {"零件", "玩具", "杯子", "箱子"};
  static constexpr std::array kUnits = {"小时", "天", "分钟"};
  static constexpr std::array kLetters = {"x", "y", "n", "m"};
  const std::string thing = draw.pick(kThings), unit = draw.pick(kUnits);
  const int64_t time = draw.number(2, 12);
  if (draw.number(0, 3) == 0) {
    const std::string letter = draw.pick(kLetters);
    const int64_t many = draw.number(2, 60);
    return chinese("rate", fmt::format("如果每{}生产{}个{}，{}{}一共生产多少？", unit, letter, thing, many, unit),
                   fmt::format("总数=每{}的数量*时间。{}*{}={}{}。", unit, letter, many, many, letter),
                   fmt::format("{}{}", many, letter));
  }
  if (draw.number(0, 2) == 0) {
    const int64_t speed = 10 * draw.number(1, 9);
    return chinese("rate", fmt::format("一辆车每小时行驶{}千米，{}小时行驶多少千米？", speed, time),
                   fmt::format("路程=速度*时间。{}*{}={}。", speed, time, speed * time),
                   fmt::format("{}千米", speed * time));
  }
  const int64_t each = draw.number(2, 12);
  return chinese("rate", fmt::format("每{}生产{}个{}，{}{}一共生产多少个？", unit, each, thing, time, unit),
                 fmt::format("总数=每{}的数量*时间。{}*{}={}。", unit, each, time, each * time),
                 fmt::format("{}个", each * time));
}

// ---- Comparisons ----------------------------------------------------------------------------------------------------

constexpr std::array kNames = {"小明", "小红", "小刚", "小丽"};
constexpr std::array kFruits = {"苹果", "梨", "橘子", "糖"};

Maybe comparison(Draw& draw) {
  const std::string one = draw.pick(kNames), other = draw.pick(kNames), thing = draw.pick(kFruits);
  const int64_t a = draw.number(1, 40), b = draw.number(1, 40);
  if (one == other || a == b) return {};
  const std::string& more = a > b ? one : other;
  const int64_t high = std::max(a, b), low = std::min(a, b);
  return chinese("comparison",
                 fmt::format("{}有{}个{}，{}有{}个{}，谁的{}多，多几个？", one, a, thing, other, b, thing, thing),
                 fmt::format("{}个是{}的，{}个是{}的。{}大于{}，{}个是{}的，{}多。{}-{}={}。", a, one, b, other, high,
                             low, high, more, more, high, low, high - low),
                 fmt::format("{}多{}个", more, high - low));
}

Maybe story(Draw& draw) {
  const std::string name = draw.pick(kNames), thing = draw.pick(kFruits);
  const int64_t a = draw.number(5, 40), b = draw.number(1, 20), c = draw.number(1, 20);
  if (b > a) return {};
  return chinese("story", fmt::format("{}有{}个{}，吃了{}个，又买了{}个，现在有几个？", name, a, thing, b, c),
                 fmt::format("先减：{}-{}={}。再加：{}+{}={}。", a, b, a - b, a - b, c, a - b + c),
                 fmt::format("{}个", a - b + c));
}

// ---- English --------------------------------------------------------------------------------------------------------

Maybe english_expression(Draw& draw) {
  const int64_t a = draw.number(1, 30), b = draw.number(2, 12), c = draw.number(2, 9);
  return english("english", fmt::format("What is {}+{}*{}?", a, b, c),
                 fmt::format("First multiply: {}*{}={}. Then add: {}+{}={}.", b, c, b * c, a, b * c, a + b * c),
                 std::to_string(a + b * c));
}

Maybe english_story(Draw& draw) {
  static constexpr std::array kPeople = {"Tom", "Anna", "Ben", "Lucy"};
  static constexpr std::array kThings = {"apples", "books", "coins"};
  const std::string name = draw.pick(kPeople), thing = draw.pick(kThings);
  const int64_t a = draw.number(1, 40), b = draw.number(1, 20);
  return english("english", fmt::format("{} has {} {} and buys {} more. How many {} now?", name, a, thing, b, thing),
                 fmt::format("Add them: {}+{}={}.", a, b, a + b), fmt::format("{} {}", a + b, thing));
}

Maybe english_balls(Draw& draw) {
  const int64_t a = draw.number(1, 9), b = draw.number(1, 9);
  return english(
      "english", fmt::format("A box has {} red balls and {} blue balls. What is the probability of a red ball?", a, b),
      fmt::format("In all {}+{}={}. Red: {}. So {}.", a, b, a + b, a, fraction(a, a + b, ", ")), lowest(a, a + b));
}

// The key is the numbers and signs in order, so that a problem with other names or things counts as the same. Its
// FNV-1a hash is mixed once more: keys that differ only in their last letter have neighbouring hashes, and all problems
// that begin alike would be in one split.
bool is_validation(const Problem& problem) {
  uint64_t hash = 14695981039346656037u;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u; };
  for (const char c : problem.kind) add(c);
  bool in_number = false;
  for (const char c : problem.question) {
    const bool digit = c >= '0' && c <= '9';
    const bool sign = std::string_view("+-*/()").find(c) != std::string_view::npos;
    if (in_number && !digit) add(' ');
    if (digit || sign) add(c);
    in_number = digit;
  }
  const auto low = static_cast<uint32_t>(hash), high = static_cast<uint32_t>(hash >> 32);
  return philox({low, high, 0, 0}, {0, 0})[0] % 10 == 0;
}

}  // namespace

Problem make_problem(uint64_t seed, uint64_t index, Split split) {
  static constexpr std::array kMakers = {expression,    expression,   expression, balls, balls, rate,
                                         rate,          comparison,   comparison, story, story, english_expression,
                                         english_story, english_balls};
  Random random(seed, index * 2 + (split == Split::train ? 0 : 1));
  Draw draw{random};
  const auto maker = draw.pick(kMakers);
  for (;;) {
    const Maybe problem = maker(draw);
    if (problem && is_validation(*problem) == (split == Split::validation)) return *problem;
  }
}

std::vector<Problem> make_problems(uint64_t seed, int64_t count, Split split) {
  std::vector<Problem> problems;
  for (int64_t i = 0; i < count; ++i) problems.push_back(make_problem(seed, static_cast<uint64_t>(i), split));
  return problems;
}

namespace {

std::string sums(Draw& draw) {
  std::string line;
  for (int i = 0; i < 12; ++i) {
    const int64_t a = draw.number(1, 12), b = draw.number(1, 18), large = draw.number(1, 190),
                  small = draw.number(1, 30);
    const int64_t kind = draw.number(0, 5);
    if (i > 0) line += ' ';
    if (kind == 0) line += fmt::format("{}*{}={}", a, b, a * b);
    if (kind == 1) line += fmt::format("{}/{}={}", a * b, a, b);
    if (kind == 2) line += fmt::format("{}+{}={}", large, small, large + small);
    if (kind == 3) line += fmt::format("{}+{}={}", small, large, small + large);
    if (kind == 4) line += fmt::format("{}-{}={}", large + small, small, large);
    if (kind == 5) line += fmt::format("{}-{}={}", a + b, a, b);
  }
  return line + "\n";
}

// How many there are of each colour, and again in another order.
std::string recall(Draw& draw) {
  std::vector<std::string> held;
  for (const char* colour : kColours) held.push_back(fmt::format("{}球{}个", colour, draw.number(1, 30)));
  const auto shuffle = [&] {
    for (size_t i = held.size(); i > 1; --i)
      std::swap(held[i - 1], held[static_cast<size_t>(draw.random.below(static_cast<int64_t>(i)))]);
  };
  shuffle();
  held.resize(static_cast<size_t>(draw.number(2, 5)));
  std::string line;
  for (int time = 0; time < 3; ++time) {
    line += fmt::format("{}。", fmt::join(held, "，"));
    shuffle();
  }
  return line + "\n";
}

}  // namespace

std::string practice(uint64_t seed, uint64_t index) {
  Random random(seed, index);
  Draw draw{random};
  return index % 3 == 0 ? recall(draw) : sums(draw);
}

std::string as_text(const Problem& problem) {
  return fmt::format("{}\n{}\n{}\n\n", problem.question, problem.cot, problem.final);
}

}  // namespace tinyllm
