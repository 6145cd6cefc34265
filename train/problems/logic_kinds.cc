// Puzzles: who is where, and who tells the truth.
#include <tinyllm/train/problems/scene.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace tinyllm::problems {
namespace {

std::string name_of(int64_t person) { return fmt::format("{{{}}}", static_cast<char>('A' + person)); }

// People by height from A on, of whom neighbours are compared. Their names are random.
bool arrange_order(Scene& scene) {
  const int64_t count = scene.level + 2;
  std::vector<int64_t> pairs(static_cast<size_t>(count) - 1);
  std::iota(pairs.begin(), pairs.end(), 0);
  for (size_t i = pairs.size(); i > 1; --i) {
    std::swap(pairs[i - 1], pairs[static_cast<size_t>(scene.draw(0, static_cast<int64_t>(i) - 1))]);
  }
  const bool is_chinese = scene.language == Language::chinese;
  std::vector<std::string> clues, row;
  for (const int64_t pair : pairs) {
    const bool is_taller = scene.draw(0, 1) == 1;
    const int64_t tall = pair, small = pair + 1;
    scene.more.insert(scene.more.end(), {pair, is_taller ? 1 : 0});
    const Texts clue =
        is_taller ? Texts{"{}比{}高", "{} is taller than {}"} : Texts{"{}比{}矮", "{} is shorter than {}"};
    clues.push_back(scene.filled(fmt::format(fmt::runtime(scene.in(clue)), name_of(is_taller ? tall : small),
                                             name_of(is_taller ? small : tall))));
  }
  for (int64_t person = 0; person < count; ++person) row.push_back(scene.filled(name_of(person)));
  const int64_t asked = scene.whole("asked");
  static const std::array<Texts, 3> kAsked = {
      {{"最高", "the tallest"}, {"最矮", "the shortest"}, {"第二高", "the second tallest"}}};
  scene.word("asked which", kAsked[static_cast<size_t>(asked)]);
  scene.words["clues"] = fmt::format("{}", fmt::join(clues, is_chinese ? "，" : ", "));
  scene.words["row"] = fmt::format("{}", fmt::join(row, is_chinese ? "、" : ", "));
  scene.words["who"] = asked == 0 ? row.front() : asked == 1 ? row.back() : row[1];
  return true;
}

// What one person says: that another lies or not, or how many of all tell the truth.
struct Claim {
  bool counts = false;
  int64_t about = 0;  // A person, or a count.
  bool is_honest = false;
};

bool is_true(const Claim& claim, const std::vector<bool>& honest) {
  if (claim.counts) return std::count(honest.begin(), honest.end(), true) == claim.about;
  return honest[static_cast<size_t>(claim.about)] == claim.is_honest;
}

bool arrange_truth_tellers(Scene& scene) {
  const int64_t count = scene.level < 3 ? 3 : 4;
  const bool is_chinese = scene.language == Language::chinese;
  std::vector<Claim> claims;
  std::vector<std::string> said;
  for (int64_t speaker = 0; speaker < count; ++speaker) {
    Claim claim{.counts = scene.draw(0, 2) == 0};
    claim.about = claim.counts ? scene.draw(0, count) : (speaker + scene.draw(1, count - 1)) % count;
    claim.is_honest = !claim.counts && scene.draw(0, 1) == 1;
    const Texts about =
        claim.counts
            ? Texts{fmt::format("“我们中恰好有{}个人说真话。”", claim.about),
                    fmt::format("\"Exactly {} of us tell the truth.\"", claim.about)}
            : Texts{fmt::format("“{}说{}话。”", name_of(claim.about), claim.is_honest ? "真" : "假"),
                    fmt::format("\"{} {}.\"", name_of(claim.about), claim.is_honest ? "tells the truth" : "lies")};
    said.push_back(
        scene.filled(fmt::format("{}{}{}", name_of(speaker), is_chinese ? "说：" : " says: ", scene.in(about))));
    scene.more.insert(scene.more.end(), {claim.counts ? 1 : 0, claim.about, claim.is_honest ? 1 : 0});
    claims.push_back(claim);
  }
  // Every case, until one is left.
  std::vector<std::string> cases;
  int64_t answer = -1, possible = 0;
  for (int64_t mask = 0; mask < int64_t{1} << count; ++mask) {
    std::vector<bool> honest;
    std::vector<std::string> liars;
    for (int64_t i = 0; i < count; ++i) {
      honest.push_back((mask >> i & 1) == 0);
      if (!honest.back()) liars.push_back(scene.filled(name_of(i)));
    }
    size_t wrong = 0;
    while (wrong < claims.size() && is_true(claims[wrong], honest) == honest[wrong]) ++wrong;
    const std::string who = liars.empty() ? (is_chinese ? "没有人" : "nobody")
                                          : fmt::format("{}", fmt::join(liars, is_chinese ? "、" : " and "));
    const bool fits = wrong == claims.size();
    const std::string ends = fits ? (is_chinese ? "不矛盾" : "no contradiction")
                                  : scene.filled(name_of(static_cast<int64_t>(wrong))) +
                                        (is_chinese ? "的话矛盾" : "'s words contradict this");
    cases.push_back(fmt::format(fmt::runtime(is_chinese ? "若{}说假话，{}" : "If {} lied, {}"), who, ends));
    if (fits) {
      ++possible;
      answer = std::count(honest.begin(), honest.end(), true);
    }
  }
  if (possible != 1) return false;
  scene.words["said"] = fmt::format("{}", fmt::join(said, is_chinese ? "" : " "));
  scene.words["cases"] = fmt::format("{}", fmt::join(cases, is_chinese ? "；" : "; "));
  scene.put("x", answer);
  return true;
}

}  // namespace

std::vector<Kind> logic_kinds() {
  return {
      {.name = "order",
       .numbers = {{"asked", 0, {2, 2, 2}}},
       .arrange = arrange_order,
       .wordings = {{"{clues}。谁{asked which}？", "{clues}. Who is {asked which}?"},
                    {"已知{clues}，{asked which}的是谁？", "We know: {clues}. Which of them is {asked which}?"},
                    {"几个人比身高：{clues}。找出{asked which}的人。",
                     "Some people compare their heights: {clues}. Find {asked which}."},
                    {"根据“{clues}”，说出{asked which}的人是谁。", "From \"{clues}\", say who is {asked which}."}},
       .known = {"从高到矮是{row}", "From tall to short they are {row}"},
       .answer = {"{who}", "{who}"}},
      {.name = "truth_tellers",
       .numbers = {},
       .arrange = arrange_truth_tellers,
       .wordings = {{"每个人或者总说真话，或者总说假话。{said}说真话的有几个人？",
                     "Each person always tells the truth or always lies. {said} How many tell the truth?"},
                    {"这里的人要么只说真话，要么只说假话。{said}有几个人说真话？",
                     "People here either always lie or never do. {said} How many of them tell the truth?"},
                    {"有的人永远说真话，其余的人永远说假话。{said}求说真话的人数。",
                     "Some always tell the truth, the others always lie. {said} Find the number of those who do not "
                     "lie."},
                    {"一些人只讲真话，另一些只讲假话。{said}讲真话的一共几人？",
                     "One sort of people never lies, the other always does. {said} How many are of the first sort?"}},
       .known = {"{cases}", "{cases}"},
       .answer = {"{x}人", "{x}"}}};
}

}  // namespace tinyllm::problems
