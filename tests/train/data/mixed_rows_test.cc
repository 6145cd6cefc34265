#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/train/data/mixed_rows.h>
#include <tinyllm/train/data/packed_dataset.h>

#include <map>

namespace tinyllm::test {
namespace {

// Rows of one sample each, which says its number.
std::shared_ptr<const Dataset> numbered(int32_t first, int count, int64_t length = 4) {
  std::vector<Sample> samples;
  for (int32_t i = 0; i < count; ++i) {
    samples.push_back({std::vector<int32_t>(static_cast<size_t>(length) + 1, first + i),
                       std::vector<bool>(static_cast<size_t>(length) + 1, true)});
  }
  return std::make_shared<Dataset>(Dataset::of_samples(samples, length));
}

// How often each number is seen in once through a mix.
std::map<int32_t, int> seen(const MixedRows& mix) {
  std::map<int32_t, int> counts;
  for (int64_t step = 0; step < mix.rows(); ++step) ++counts[mix.batch(1, 9, step).tokens[0]];
  return counts;
}

}  // namespace

TEST_CASE("once through a mix, each source has its share, and each of its rows is seen as often as any other") {
  const MixedRows mix({{"a", numbered(100, 6), 1}, {"b", numbered(200, 5), 2.5}});
  CHECK(mix.rows() == 21);  // All of a once; b at 2.5 times as many.
  CHECK(mix.share(0) == doctest::Approx(6.0 / 21));
  CHECK(mix.share(1) == doctest::Approx(15.0 / 21));
  const std::map<int32_t, int> counts = seen(mix);
  CHECK(counts.size() == 11);
  for (const auto& [number, count] : counts) CHECK(count == (number < 200 ? 1 : 3));
}

TEST_CASE("a batch of a mix says which source its samples are of") {
  const MixedRows mix({{"a", numbered(100, 3), 1}, {"b", numbered(200, 3), 1}});
  const Batch batch = mix.batch(6, 1, 0);
  std::vector<std::string> expected;
  for (size_t i = 0; i < 6; ++i) {
    const int32_t number = batch.tokens[i * 4];
    expected.push_back(number < 200 ? fmt::format("a: sample {}", number - 100)
                                    : fmt::format("b: sample {}", number - 200));
  }
  CHECK(mix.names(6, 1, 0) == expected);
}

TEST_CASE("mixes of other data or other shares have other hashes") {
  const auto a = numbered(100, 6), b = numbered(200, 5);
  const uint64_t base = MixedRows({{"a", a, 1}, {"b", b, 1}}).hash();
  CHECK(MixedRows({{"x", a, 2}, {"y", b, 2}}).hash() == base);
  CHECK(MixedRows({{"a", a, 1}, {"b", b, 2}}).hash() != base);
  CHECK(MixedRows({{"a", a, 1}, {"b", numbered(201, 5), 1}}).hash() != base);
  CHECK(MixedRows({{"b", b, 1}, {"a", a, 1}}).hash() != base);
}

TEST_CASE("what cannot be mixed is named") {
  struct Case {
    std::vector<MixedRows::Part> parts;
    const char* message;
  };
  const Case cases[] = {
      {{}, "mix: no data"},
      {{{"a", numbered(1, 1), 0}}, "mix: a has weight 0, expected a number above 0"},
      {{{"a", numbered(1, 1), -1}}, "mix: a has weight -1, expected a number above 0"},
      {{{"a", numbered(1, 1), 1}, {"b", numbered(1, 0), 1}}, "mix: b has no rows to learn from"},
      {{{"a", numbered(1, 1), 1}, {"b", numbered(1, 1, 5), 1}}, "mix: b has rows of 5 tokens, a of 4"},
      {{{"a", numbered(1, 1), 1}, {"b", numbered(1, 1), 1e-13}}, "mix: the weights are too far apart: a has 1"},
  };
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(MixedRows{c.parts}, c.message, Error);
}

TEST_CASE("cut rows hold the same tokens, and see nothing before the cut") {
  Batch batch{1, 6, {1, 2, 3, 4, 5, 6}, {2, 3, kIgnore, 5, 6, 7}, {0, 1, 2, 0, 1, 2}, {0, 0, 0, 3, 3, 3}};
  const Batch in_two = cut(batch, 3), in_three = cut(batch, 2);
  CHECK(in_two.rows == 2);
  CHECK(in_two.length == 3);
  CHECK(in_two.tokens == batch.tokens);
  CHECK(in_two.targets == batch.targets);
  CHECK(in_two.starts == std::vector<int32_t>{0, 0, 0, 0, 0, 0});
  CHECK(in_three.starts == std::vector<int32_t>{0, 0, 0, 1, 0, 0});
}

}  // namespace tinyllm::test
