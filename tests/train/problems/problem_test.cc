#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/train/data/sample_forms.h>
#include <tinyllm/train/problems/problem.h>

#include "error_of.h"
#include "train/problems/second_method.h"

#include <algorithm>
#include <regex>
#include <set>

namespace tinyllm::test {
namespace {

using namespace problems;

constexpr std::array kLanguages = {Language::chinese, Language::english};

// Calls with some problems of every kind, level, language and split that there are.
template <class F>
void for_each_problem(uint64_t seed, uint64_t count, const std::vector<Split>& splits, F&& f) {
  for (const std::string& kind : kind_names()) {
    for (int level = 1; level <= kLevels; ++level) {
      for (const Split split : splits) {
        if (!has_split(kind, level, split)) continue;
        for (const Language language : kLanguages) {
          for (uint64_t i = 0; i < count; ++i) f(make_problem({kind, level, language, split}, seed, i));
        }
      }
    }
  }
}

const std::vector<Split> kHeldOut = {Split::numbers, Split::wording, Split::composition, Split::range};

}  // namespace

TEST_CASE("there are at least 28 kinds, in three levels and two languages") {
  const std::vector<std::string> names = kind_names();
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  CHECK(names.size() >= 28);
  std::set<std::string> made;
  for_each_problem(1, 1, {Split::train}, [&](const Problem& p) {
    made.insert(fmt::format("{} {} {}", p.kind, p.level, name_of(p.language)));
  });
  CHECK(made.size() == names.size() * 2 * kLevels);
}

TEST_CASE("every equation of every reasoning holds") {
  int64_t equations = 0, problems = 0;
  for_each_problem(2, 12, {Split::train}, [&](const Problem& p) {
    ++problems;
    for (const Equation& equation : equations_in(p.cot)) {
      ++equations;
      CHECK_MESSAGE(equation.holds(), p.cot);
    }
  });
  CHECK(equations > 3 * problems);
}

TEST_CASE("no equation escapes the check: what looks like one is read as one") {
  const std::regex sign("[0-9)%]=[0-9(]");
  for_each_problem(3, 2, {Split::train, Split::range}, [&](const Problem& p) {
    const auto signs = std::distance(std::sregex_iterator(p.cot.begin(), p.cot.end(), sign), std::sregex_iterator());
    int64_t links = 0;
    for (const Equation& equation : equations_in(p.cot)) links += static_cast<int64_t>(equation.sides.size()) - 1;
    CHECK_MESSAGE(links == signs, p.cot);
  });
}

TEST_CASE("an English sentence begins with a capital, or with the name of a number") {
  const std::regex small("(^|[^.][.?] )[a-z]{2}");
  for_each_problem(4, 3, {Split::train}, [&](const Problem& p) {
    const std::string text = p.question + " " + p.cot;
    CHECK_MESSAGE((p.language != Language::english || !std::regex_search(text, small)), text);
  });
}

TEST_CASE("the answer is what a second method finds, part by part") {
  std::vector<Split> splits = kHeldOut;
  splits.push_back(Split::train);
  for_each_problem(4, 2, splits, [&](const Problem& p) {
    for (size_t i = 0; i < p.parts.size(); ++i) {
      const Part& part = p.parts[i];
      const std::string answer = answer_by_second_method(kind_names()[part.kind], part, p.language);
      if (i + 1 < p.parts.size()) {
        const Part& next = p.parts[i + 1];
        CHECK_MESSAGE(next.values.at(next.takes) == answer, p.question);
      } else {
        CHECK_MESSAGE(same_answer(normal_answer(p.answer), normal_answer(answer)), (p.question + " " + answer));
      }
    }
  });
}

TEST_CASE("the answer is found in what is said") {
  for_each_problem(5, 3, {Split::train}, [&](const Problem& p) {
    CHECK_MESSAGE(same_answer(answer_of(p.final), normal_answer(p.answer)), p.final);
  });
}

TEST_CASE("the same seed makes the same problems, another seed others") {
  const Wanted wanted = {.kind = "multiples", .level = 2};
  CHECK(as_sample(make_problem(wanted, 7, 3)) == as_sample(make_problem(wanted, 7, 3)));
  CHECK(as_sample(make_problem(wanted, 7, 3)) != as_sample(make_problem(wanted, 8, 3)));
  CHECK(as_sample(make_problem(wanted, 7, 3)) != as_sample(make_problem(wanted, 7, 4)));
}

TEST_CASE("what a problem is for follows from the problem") {
  std::vector<Split> splits = kHeldOut;
  splits.push_back(Split::train);
  for_each_problem(6, 1, splits, [&](const Problem& p) { CHECK(split_of(p) == p.split); });
}

TEST_CASE("no problem that is held out is made for training, with any seed") {
  std::set<std::string> trained;
  for (uint64_t seed = 10; seed < 12; ++seed) {
    for_each_problem(seed, 4, {Split::train}, [&](const Problem& p) { trained.insert(p.question); });
  }
  for_each_problem(20, 2, kHeldOut,
                   [&](const Problem& p) { CHECK_MESSAGE(!trained.contains(p.question), p.question); });
  // One of few kinds, often: the seeds do meet.
  for (const char* kind : {"geometric_sequence", "truth_tellers", "order", "weekday"}) {
    std::set<std::string> often, held;
    for (uint64_t i = 0; i < 1500; ++i) {
      often.insert(make_problem({.kind = kind}, 1, i).question);
      held.insert(make_problem({.kind = kind, .split = Split::numbers}, 2, i).question);
    }
    std::vector<std::string> both;
    std::set_intersection(often.begin(), often.end(), held.begin(), held.end(), std::back_inserter(both));
    CHECK(both.empty());
    CHECK(held.size() > 5);
  }
}

TEST_CASE("each split differs from training in its own way") {
  std::set<std::pair<size_t, size_t>> wordings;
  std::set<std::pair<std::string, std::string>> pairs;
  const auto add_pairs = [](const Problem& p, std::set<std::pair<std::string, std::string>>& to) {
    std::string before;
    for (const Part& part : p.parts) {
      for (const std::string& operation : part.operations) {
        if (!before.empty()) to.emplace(before, operation);
        before = operation;
      }
    }
  };
  for_each_problem(7, 10, {Split::train}, [&](const Problem& p) {
    for (const Part& part : p.parts) wordings.emplace(part.kind, part.wording);
    add_pairs(p, pairs);
  });
  for_each_problem(7, 1, kHeldOut, [&](const Problem& p) {
    CAPTURE(p.question);
    bool is_longer = false, is_unseen = false;
    for (const Part& part : p.parts) {
      for (const int64_t number : part.numbers) is_longer = is_longer || number > 99;
      is_unseen = is_unseen || !wordings.contains({part.kind, part.wording});
    }
    std::set<std::pair<std::string, std::string>> own;
    add_pairs(p, own);
    const bool is_new = std::any_of(own.begin(), own.end(), [&](const auto& pair) { return !pairs.contains(pair); });
    if (p.split == Split::wording) CHECK(is_unseen);
    if (p.split == Split::composition) CHECK(is_new);
    if (p.split == Split::range) CHECK(is_longer);
  });
}

TEST_CASE("level 2 has two parts and level 3 three or four, the later ones with a letter in the question") {
  const Problem two = make_problem({.kind = "multiples", .level = 2, .language = Language::english}, 1, 0);
  REQUIRE(two.parts.size() == 2);
  CHECK(two.question.find("Call this number K.") != std::string::npos);
  CHECK(two.cot.find("So K=") != std::string::npos);
  const Problem many = make_problem({.kind = "multiples", .level = 3}, 1, 0);
  CHECK(many.parts.size() >= 3);
  CHECK(many.question.find("把这个数记作L。") != std::string::npos);
}

TEST_CASE("a problem is a sample that finetune reads") {
  const Problem p = make_problem({.kind = "distance"}, 1, 0);
  const ParsedSample sample = parse_sample(as_sample(p));
  CHECK(sample.form == SampleForm::cot);
  const Messages& messages = std::get<Messages>(sample.sample);
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].content == p.system);
  CHECK(messages[1].content == p.question);
  CHECK(messages[2].content == fmt::format("【推理过程】\n{}\n【最终答案】\n{}\n", p.cot, p.final));
}

TEST_CASE("a problem that does not exist is an error") {
  CHECK(error_of([] { make_problem({.kind = "riddles"}, 1, 0); }) == "riddles: unknown kind of problem");
  CHECK(error_of([] { make_problem({.kind = "work", .level = 4}, 1, 0); }) == "level 4: expected 1 to 3");
  CHECK(error_of([] { make_problem({.kind = "order", .split = Split::range}, 1, 0); }) ==
        "kind order: has no problems of level 1 for split range");
}

}  // namespace tinyllm::test
