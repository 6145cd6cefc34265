#include "train/problems/second_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

namespace tinyllm::test {
namespace {

using problems::Language;

struct Values {
  const problems::Part& part;
  Language language;

  const std::string& text(const std::string& name) const { return part.values.at(name); }
  int64_t operator[](const std::string& name) const { return std::stoll(text(name)); }
  bool is_chinese() const { return language == Language::chinese; }
};

std::string fraction(int64_t above, int64_t below) {
  const int64_t divisor = std::gcd(above, below);
  if (below == divisor) return std::to_string(above / divisor);
  return fmt::format("{}/{}", above / divisor, below / divisor);
}

std::string whole(int64_t value) { return std::to_string(value); }

// The only whole number at which a line, above 0 before it and below 0 behind it, is 0: by halving what is left.
std::string zero_of(const std::function<int64_t(int64_t)>& line) {
  int64_t low = 0, high = int64_t{1} << 40;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (line(middle) > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return line(low) == 0 ? whole(low) : "none";
}

// 3/4 as 3 and 4.
std::pair<int64_t, int64_t> terms(const std::string& text) {
  const size_t slash = text.find('/');
  return {std::stoll(text), slash == std::string::npos ? 1 : std::stoll(text.substr(slash + 1))};
}

std::string brackets(const Values& v) {
  const int64_t a = v["a"], b = v["b"], c = v["c"], d = v["d"], p = a * b;
  const std::array<int64_t, 8> values = {a * (b + c) - d, a * (b - c) + d, (b + c) * a, d + a * b,
                                         d - a * b,       (b - c) * a,     p / a + d,   p / a - c};
  return whole(values[static_cast<size_t>(v.part.more[0])]);
}

std::string units(const Values& v) {
  static const std::map<std::string, int64_t> kFactors = {
      {"米", 100},          {"千克", 1000}, {"小时", 60},    {"千米", 1000},      {"天", 24},
      {"分钟", 60},         {"升", 1000},   {"meters", 100}, {"kilograms", 1000}, {"hours", 60},
      {"kilometers", 1000}, {"days", 24},   {"minutes", 60}, {"liters", 1000}};
  return whole(v["a"] * kFactors.at(v.text("large")) + v["b"]);
}

std::string money(const Values& v) {
  const int64_t jiao = 10 * v["w"] - 10 * v["a"] - v["b"];
  return fmt::format(fmt::runtime(v.is_chinese() ? "{}元{}角" : "{} yuan {} jiao"), jiao / 10, jiao % 10);
}

std::string time_sum(const Values& v) {
  const int64_t minutes = (v["a"] + v["c"]) * 60 + v["b"] + v["d"];
  return fmt::format(fmt::runtime(v.is_chinese() ? "{}小时{}分钟" : "{} hours {} minutes"), minutes / 60, minutes % 60);
}

std::string chasing(const Values& v) {
  const int64_t slow = v["v"], fast = v["u"];
  int64_t ahead = v["g"], behind = 0;
  while (behind < ahead) {
    ahead += slow;
    behind += fast;
  }
  return behind == ahead ? whole(behind) : "never level after whole minutes";
}

std::string trees(const Values& v) {
  const int64_t length = v["s"], gap = v["g"], how = v["how"];
  int64_t count = 0;
  for (int64_t at = 0; at <= length; at += gap) {
    const bool is_end = at == 0 || at == length;
    if (how == 0 || (how == 1 && !is_end) || (how == 2 && at > 0)) ++count;
  }
  return whole(count);
}

std::string sequence(const Values& v) {
  const int64_t count = v["n"], more = v["c"] - v["b"];
  int64_t term = v["a"];
  for (int64_t i = 1; i < count; ++i) term += more;
  return whole(term);
}

std::string weekday(const Values& v) {
  static const std::array<std::array<const char*, 7>, 2> kDays = {
      {{"星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"},
       {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}}};
  return kDays[static_cast<size_t>(v.language)][static_cast<size_t>((v["s"] - 1 + v["n"]) % 7)];
}

std::string clock(const Values& v) {
  const int64_t minutes = v["h"] * 60 + v["m"] + v["d"];
  return fmt::format("{}:{:02}", minutes / 60, minutes % 60);
}

std::string story(const Values& v) {
  int64_t count = v["a"];
  for (size_t i = 0; i < v.part.more.size(); i += 2) {
    const int64_t operand = v.part.more[i + 1];
    const std::array<int64_t, 4> next = {count + operand, count - operand, count * operand, count / operand};
    count = next[static_cast<size_t>(v.part.more[i])];
  }
  return whole(count);
}

// Tries every order of the people against the words of the clues.
std::string order(const Values& v) {
  const size_t count = v.part.more.size() / 2 + 1;
  std::vector<std::string> people;
  for (size_t i = 0; i < count; ++i) people.push_back(v.text(std::string(1, static_cast<char>('A' + i))));
  std::vector<std::pair<std::string, std::string>> taller;
  std::string rest = v.text("clues");
  const std::string comma = v.is_chinese() ? "，" : ", ";
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(comma), rest.size());
    const std::string clue = rest.substr(0, end);
    rest.erase(0, std::min(end + comma.size(), rest.size()));
    std::vector<std::pair<size_t, std::string>> named;
    for (const std::string& person : people) {
      if (clue.find(person) != std::string::npos) named.emplace_back(clue.find(person), person);
    }
    std::sort(named.begin(), named.end());
    if (named.size() != 2) return "a clue is not about two people";
    const bool is_taller = clue.find("高") != std::string::npos || clue.find("taller") != std::string::npos;
    taller.emplace_back(named[is_taller ? 0 : 1].second, named[is_taller ? 1 : 0].second);
  }
  std::string found = "none";
  std::sort(people.begin(), people.end());
  do {
    const auto place = [&](const std::string& person) { return std::find(people.begin(), people.end(), person); };
    if (!std::all_of(taller.begin(), taller.end(),
                     [&](const auto& pair) { return place(pair.first) < place(pair.second); })) {
      continue;
    }
    if (found != "none") return "several";
    found = v["asked"] == 0 ? people.front() : v["asked"] == 1 ? people.back() : people[1];
  } while (std::next_permutation(people.begin(), people.end()));
  return found;
}

// Tries every set of honest people against what each one says.
std::string truth_tellers(const Values& v) {
  const std::vector<int64_t>& claims = v.part.more;
  const size_t people = claims.size() / 3;
  std::string found = "none";
  for (uint64_t set = 0; set < uint64_t{1} << people; ++set) {
    int64_t honest = 0;
    for (size_t i = 0; i < people; ++i) honest += static_cast<int64_t>(set >> i & 1);
    bool fits = true;
    for (size_t i = 0; i < people; ++i) {
      const int64_t about = claims[3 * i + 1];
      const bool claim =
          claims[3 * i] == 1 ? honest == about : static_cast<int64_t>(set >> about & 1) == claims[3 * i + 2];
      fits = fits && claim == ((set >> i & 1) == 1);
    }
    if (!fits) continue;
    if (found != "none") return "several";
    found = whole(honest);
  }
  return found;
}

using Method = std::function<std::string(const Values&)>;

const std::map<std::string, Method>& methods() {
  using V = const Values&;
  static const std::map<std::string, Method> kMethods = {
      {"brackets", brackets},
      {"fraction_sum",
       [](V v) {
         const auto [a, b] = terms(v.text("p"));
         const auto [c, d] = terms(v.text("q"));
         return fraction(v["minus"] == 1 ? a * d - c * b : a * d + c * b, b * d);
       }},
      {"fraction_product",
       [](V v) {
         const auto [a, b] = terms(v.text("p"));
         const auto [c, d] = terms(v.text("q"));
         return v["over"] == 1 ? fraction(a * d, b * c) : fraction(a * c, b * d);
       }},
      {"decimals",
       [](V v) {
         const auto tenths = [&](const char* name) { return std::llround(std::stod(v.text(name)) * 10); };
         return fraction(tenths("u") * v["n"] + tenths("v"), 10);
       }},
      {"equation", [](V v) { return zero_of([&](int64_t x) { return v["c"] - v["k"] * x - v["b"]; }); }},
      {"equation_both_sides",
       [](V v) { return zero_of([&](int64_t x) { return v["j"] * x + v["c"] - v["k"] * x - v["b"]; }); }},
      {"percent_of", [](V v) { return fraction(v["n"] * (100 - v["p"]), 100); }},
      {"percent_change", [](V v) { return fraction(v["n"] * (100 + (v["rise"] == 1 ? v["p"] : -v["p"])), 100); }},
      {"percent_reverse", [](V v) { return zero_of([&](int64_t x) { return v["y"] * 100 - x * (100 - v["p"]); }); }},
      {"discount", [](V v) { return fraction(v["n"] * v["p"] - v["c"] * 100, 100); }},
      {"ratio", [](V v) { return zero_of([&](int64_t x) { return (v["s"] - x) * v["a"] - x * v["b"]; }); }},
      {"probability", [](V v) { return fraction(v["red"] == 1 ? v["a"] : v["b"], v["a"] + v["b"]); }},
      {"two_draws",
       [](V v) {
         const auto pairs = [](int64_t n) { return n * (n - 1) / 2; };
         return fraction(pairs(v["a"]), pairs(v["a"] + v["b"]));
       }},
      {"difference",
       [](V v) {
         const int64_t more = v["a"] - v["b"];
         const std::string& who = v.text(more > 0 ? "A" : "B");
         return v.is_chinese() ? fmt::format("{}多{}个", who, std::abs(more))
                               : fmt::format("{} has {} more", who, std::abs(more));
       }},
      {"multiples", [](V v) { return whole(v["a"] * (v["k"] + 1) + v["b"]); }},
      {"sum_difference", [](V v) { return zero_of([&](int64_t x) { return v["d"] - (x - (v["s"] - x)); }); }},
      {"sum_multiple", [](V v) { return zero_of([&](int64_t x) { return v["k"] * (v["s"] - x) - x; }); }},
      {"average", [](V v) { return fraction(v["a"] + v["b"] + v["c"], 3); }},
      {"units", units},
      {"money", money},
      {"shopping", [](V v) { return whole(v["w"] - v["p"] * v["n"]); }},
      {"remainder", [](V v) { return whole(v["n"] % v["d"]); }},
      {"chickens_and_rabbits",
       [](V v) { return zero_of([&](int64_t x) { return v["l"] - 4 * x - 2 * (v["h"] - x); }); }},
      {"time_sum", time_sum},
      {"distance", [](V v) { return whole(v["v"] * v["t"] + v["r"]); }},
      {"meeting", [](V v) { return zero_of([&](int64_t x) { return v["s"] - v["v"] * x - v["u"] * x; }); }},
      {"chasing", chasing},
      {"work", [](V v) { return fraction(v["a"] * v["b"], v["a"] + v["b"]); }},
      {"perimeter", [](V v) { return whole((v["l"] + v["w"] + v["l"] + v["w"]) * v["n"]); }},
      {"area", [](V v) { return whole(v["c"] * v["w"] * v["l"]); }},
      {"trees", trees},
      {"ages", [](V v) { return zero_of([&](int64_t x) { return v["b"] + x - v["k"] * (v["a"] + x); }); }},
      {"arithmetic_sequence", sequence},
      {"geometric_sequence", [](V v) { return fraction(v["c"] * v["c"], v["b"]); }},
      {"weekday", weekday},
      {"clock", clock},
      {"story", story},
      {"order", order},
      {"truth_tellers", truth_tellers}};
  return kMethods;
}

}  // namespace

std::string answer_by_second_method(const std::string& kind, const problems::Part& part, Language language) {
  const auto method = methods().find(kind);
  return method == methods().end() ? "no second method" : method->second({part, language});
}

}  // namespace tinyllm::test
