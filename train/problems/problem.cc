#include <tinyllm/train/problems/problem.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/train/problems/scene.h>
#include <tinyllm/train/problems/words.h>

#include <xxhash.h>

#include <algorithm>

namespace tinyllm::problems {
namespace {

size_t index_of(std::string_view name) {
  const std::vector<Kind>& kinds = all_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.name == name; });
  if (found == kinds.end()) throw Error("{}: unknown kind of problem", name);
  return static_cast<size_t>(found - kinds.begin());
}

bool gives(const Kind& kind) { return !kind.gives.empty(); }
bool takes(const Kind& kind) { return !kind.takes.empty(); }

size_t pick(bool gives_result, bool takes_result, Random& random) {
  const std::vector<Kind>& kinds = all_kinds();
  for (;;) {
    const auto at = static_cast<size_t>(random.below(static_cast<int64_t>(kinds.size())));
    if (gives(kinds[at]) >= gives_result && takes(kinds[at]) >= takes_result) return at;
  }
}

// The kinds of the parts, of which the main one is somewhere.
std::vector<size_t> draw_kinds(size_t main, int level, Random& random) {
  const Kind& kind = all_kinds()[main];
  if (level == 1 || !kind.is_composable()) return {main};
  const int64_t count = level == 2 ? 2 : 3 + random.below(2);
  int64_t place = !takes(kind) ? 0 : !gives(kind) ? count - 1 : random.below(count);
  std::vector<size_t> kinds;
  for (int64_t i = 0; i < count; ++i) kinds.push_back(i == place ? main : pick(i + 1 < count, i > 0, random));
  return kinds;
}

// Draws a problem; nothing if what was drawn makes none.
class Maker {
 public:
  Maker(const Wanted& wanted, Random& random) : wanted_(wanted), random_(random) {}

  std::optional<Problem> draw(size_t main) {
    problem_ = {.kind = all_kinds()[main].name,
                .level = wanted_.level,
                .language = wanted_.language,
                .system = system_prompt(wanted_.language)};
    const std::vector<size_t> kinds = draw_kinds(main, wanted_.level, random_);
    const auto special = static_cast<size_t>(random_.below(static_cast<int64_t>(kinds.size())));
    std::optional<Taken> taken;
    for (size_t i = 0; i < kinds.size(); ++i) {
      // Other numbers for this part, before all parts are drawn again.
      constexpr int kMostTries = 20;
      int tries = 0;
      while (!add(kinds[i], i == special, i + 1 == kinds.size(), taken)) {
        if (++tries == kMostTries) return {};
      }
    }
    add_idle_sentences();
    problem_.split = split_of(problem_);
    return problem_.split == wanted_.split ? std::optional(problem_) : std::nullopt;
  }

 private:
  bool is_chinese() const { return wanted_.language == Language::chinese; }

  // Adds a part, and says what the next one takes from it. The special part is the one that is held out.
  bool add(size_t at, bool is_special, bool is_last, std::optional<Taken>& taken) {
    const Kind& kind = all_kinds()[at];
    const auto trained = static_cast<int64_t>(kind.wordings.size()) - 1;
    const bool is_unseen = wanted_.split == Split::wording && is_special;
    const auto wording = static_cast<size_t>(is_unseen ? trained : random_.below(trained));
    const bool is_longer = wanted_.split == Split::range && is_special;
    std::optional<Scene> scene = draw_scene(kind, wanted_.level, wanted_.language, is_longer, taken, random_);
    if (!scene) return false;
    Part part{.kind = at,
              .wording = wording,
              .numbers = scene->numbers,
              .more = scene->more,
              .operations = scene->operations,
              .takes = taken ? kind.takes : ""};
    for (const auto& [name, value] : scene->values) part.values[name] = value.text;
    part.values.insert(scene->words.begin(), scene->words.end());
    const std::optional<std::string> reasoning = reasoning_of(*scene);
    if (!reasoning) return false;
    std::optional<Taken> given;
    if (!is_last) {
      const Rational& value = scene->values.at(kind.gives).value;
      if (!may_give(value)) return false;
      given = {value, std::string(1, "KLM"[problem_.parts.size()])};
    }
    problem_.question += scene->filled(scene->in(kind.wordings[wording]), true);
    problem_.cot += *reasoning;
    problem_.parts.push_back(std::move(part));
    taken = given;
    if (given) {
      problem_.question +=
          fmt::format(fmt::runtime(is_chinese() ? "把这个数记作{}。" : " Call this number {}. "), given->letter);
      problem_.cot +=
          fmt::format(fmt::runtime(is_chinese() ? "所以{}={}。" : " So {}={}. "), given->letter, given->value.str());
    } else {
      problem_.answer = scene->filled(scene->in(kind.answer));
      problem_.final = fmt::format(fmt::runtime(is_chinese() ? "答案：{}。" : "Answer: {}."), problem_.answer);
    }
    return true;
  }

  bool may_give(const Rational& value) const {
    constexpr std::array<int64_t, kLevels> kMost = {0, 999, 99'999};
    return value.is_integer() && value >= 2 && value <= kMost[static_cast<size_t>(wanted_.level) - 1];
  }

  // Sentences with numbers that nothing depends on, before the question.
  void add_idle_sentences() {
    const bool has_one = wanted_.level == 3 || (wanted_.level == 2 && random_.below(3) == 0);
    for (int i = 0; has_one && i < wanted_.level - 1; ++i) {
      problem_.question = idle_sentence(wanted_.language, wanted_.level, random_) + problem_.question;
    }
  }

  const Wanted& wanted_;
  Random& random_;
  Problem problem_ = {};
};

}  // namespace

const char* system_prompt(Language language) {
  return language == Language::chinese ? "你是严谨的中文推理助手" : "You are a careful reasoning assistant.";
}

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> all;
    for (const auto family :
         {calculation_kinds, percentage_kinds, quantity_kinds, motion_kinds, pattern_kinds, logic_kinds}) {
      for (Kind& kind : family()) all.push_back(std::move(kind));
    }
    return all;
  }();
  return kKinds;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const Kind& kind : all_kinds()) names.push_back(kind.name);
  return names;
}

bool has_split(std::string_view name, int level, Split split) {
  const Kind& kind = all_kinds()[index_of(name)];
  const bool is_composed = level > 1 && kind.is_composable();
  if (split == Split::range) return kind.may_be_longer() || is_composed;
  if (split == Split::composition) return kind.has_operations || is_composed;
  return true;
}

Problem make_problem(const Wanted& wanted, uint64_t seed, uint64_t index) {
  constexpr int kMostTries = 1'000'000;
  if (wanted.level < 1 || wanted.level > kLevels) throw Error("level {}: expected 1 to {}", wanted.level, kLevels);
  const size_t main = index_of(wanted.kind);
  if (!has_split(wanted.kind, wanted.level, wanted.split)) {
    throw Error("kind {}: has no problems of level {} for split {}", wanted.kind, wanted.level, name_of(wanted.split));
  }
  const std::string what =
      fmt::format("{} {} {} {} {}", wanted.kind, wanted.level, name_of(wanted.language), name_of(wanted.split), index);
  Random random(seed, XXH3_64bits(what.data(), what.size()));
  Maker maker(wanted, random);
  for (int i = 0; i < kMostTries; ++i) {
    if (std::optional<Problem> problem = maker.draw(main)) return *std::move(problem);
  }
  throw Error("kind {}: no problem of level {} for split {} was found", wanted.kind, wanted.level,
              name_of(wanted.split));
}

std::string as_sample(const Problem& problem) {
  Json sample = {{"system", problem.system},
                 {"user", problem.question},
                 {"cot", problem.cot},
                 {"final", problem.final},
                 {"answer", problem.answer},
                 {"kind", problem.kind},
                 {"level", problem.level},
                 {"language", name_of(problem.language)},
                 {"split", name_of(problem.split)}};
  if (!problem.source.empty()) sample["source"] = problem.source;
  if (!problem.license.empty()) sample["license"] = problem.license;
  return sample.dump();
}

}  // namespace tinyllm::problems
