#include <doctest/doctest.h>

#include <tinyllm/runtime/search/linear_model.h>
#include <tinyllm/tensor/base/random.h>

namespace tinyllm::search::test {

TEST_CASE("choices teach the feature that decides, at any scale, and nothing about others") {
  Random random(1);
  std::vector<Choice> choices;
  for (int i = 0; i < 300; ++i) {
    Choice& choice = choices.emplace_back();
    const int64_t right = random.below(5);
    for (int64_t k = 0; k < 5; ++k) {
      Features f{};
      f[0] = static_cast<float>(random.uniform());
      f[3] = static_cast<float>(100 * random.uniform() + (k == right ? 60 : 0));
      choice.options.push_back(f);
      choice.is_right.push_back(k == right);
    }
  }
  const Weights weights = learn_choices(choices);
  int chosen = 0;
  for (const Choice& choice : choices) {
    size_t best = 0;
    for (size_t k = 1; k < 5; ++k) {
      if (score_of(choice.options[k], weights) > score_of(choice.options[best], weights)) best = k;
    }
    chosen += choice.is_right[best];
  }
  // By chance 60. The right one is above all four others in 3 of 5 cases or more.
  CHECK(chosen > 180);
  CHECK(weights[3] > 0);
  CHECK(std::abs(weights[0]) < 100 * weights[3] / 5);
  CHECK(weights[7] == 0);
}

TEST_CASE("nothing is learned from choices without a right or a wrong option") {
  Choice all_right{{Features{1}, Features{0}}, {true, true}};
  Choice none_right{{Features{1}, Features{0}}, {false, false}};
  CHECK(learn_choices(std::vector{all_right, none_right}) == Weights{});
  CHECK(learn_choices({}) == Weights{});
}

TEST_CASE("a logistic model gives the rates of its data") {
  // Of the rows with the feature 3 in 4 are right, of those without 1 in 4: ln 3 and -ln 3.
  std::vector<Features> rows;
  std::vector<bool> right;
  for (int i = 0; i < 400; ++i) {
    rows.push_back(Features{static_cast<float>(i % 2)});
    right.push_back(i % 2 == 1 ? i % 8 != 1 : i % 8 == 0);
  }
  const Logistic model = learn_logistic(rows, right, 0);
  CHECK(model.probability(Features{1}) == doctest::Approx(0.75).epsilon(0.01));
  CHECK(model.probability(Features{0}) == doctest::Approx(0.25).epsilon(0.02));
}

}  // namespace tinyllm::search::test
