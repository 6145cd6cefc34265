#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/philox.h>
#include <tinyllm/train/dataset.h>

#include "../model/sample_text.h"

#include <map>
#include <set>

namespace tinyllm::test {
namespace {

std::vector<Sample> random_samples(int count, int64_t longest) {
  Random random(4);
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    Sample& sample = samples.emplace_back();
    for (int64_t n = 2 + random.below(longest - 1); n > 0; --n) {
      sample.tokens.push_back(static_cast<int32_t>(10 + random.below(1000)));
      sample.learned.push_back(random.below(2) == 0);
    }
  }
  return samples;
}

}  // namespace

TEST_CASE("packed rows hold every sample once, in one piece, with its own positions, starts and targets") {
  constexpr int64_t kLength = 50;
  const std::vector<Sample> samples = random_samples(300, 40);
  const Dataset data = Dataset::of_samples(samples, kLength);
  std::multiset<std::vector<int32_t>> expected, found;
  for (const Sample& s : samples) {
    std::vector<int32_t> piece(s.tokens.begin(), s.tokens.end() - 1);
    for (size_t i = 1; i < s.tokens.size(); ++i) piece.push_back(s.learned[i] ? s.tokens[i] : kIgnore);
    expected.insert(piece);
  }
  const Batch batch = data.in_order(0, data.rows());
  for (int64_t row = 0; row < data.rows(); ++row) {
    for (int64_t begin = 0; begin < kLength;) {
      const auto at = [&](const std::vector<int32_t>& v, int64_t i) {
        return v[static_cast<size_t>(row * kLength + i)];
      };
      int64_t end = begin + 1;
      while (end < kLength && at(batch.positions, end) != 0) ++end;
      std::vector<int32_t> tokens, targets;
      for (int64_t i = begin; i < end; ++i) {
        CHECK(at(batch.starts, i) == begin);
        CHECK(at(batch.positions, i) == i - begin);
        tokens.push_back(at(batch.tokens, i));
        targets.push_back(at(batch.targets, i));
      }
      if (tokens[0] != kPadId) {
        tokens.insert(tokens.end(), targets.begin(), targets.end());
        found.insert(tokens);
      }
      begin = end;
    }
  }
  CHECK(found == expected);
  CHECK(data.report().samples == 300);
  CHECK(data.report().truncated == 0);
  CHECK(data.report().rows * kLength < data.report().tokens * 11 / 10);  // Little is padding.
}

TEST_CASE("a sample longer than a row is cut and counted") {
  const Dataset data = Dataset::of_samples(random_samples(100, 40), 20);
  CHECK(data.report().truncated > 0);
  CHECK(data.report().truncated < 100);
}

TEST_CASE("running text is learned whole, over the ends of rows") {
  const std::vector<int32_t> text = {11, 12, 13, 14, 15, 16, 17};
  const Dataset data = Dataset::of_texts({text, {21, 22}, {31}, {}}, 3);
  CHECK(data.report().learned_tokens == 6 + 1);
  const Batch batch = data.in_order(0, data.rows());
  std::map<int32_t, int32_t> next;
  for (size_t i = 0; i < batch.tokens.size(); ++i) {
    if (batch.targets[i] != kIgnore) next[batch.tokens[i]] = batch.targets[i];
  }
  CHECK(next == std::map<int32_t, int32_t>{{11, 12}, {12, 13}, {13, 14}, {14, 15}, {15, 16}, {16, 17}, {21, 22}});
}

TEST_CASE("each time through the data every row comes once, in another order, as (seed, step) say") {
  std::vector<std::vector<int32_t>> texts;
  for (int32_t i = 0; i < 37; ++i) texts.push_back({100 + i, 1, 2, 3});
  const Dataset data = Dataset::of_texts(texts, 3);
  REQUIRE(data.rows() == 37);
  std::vector<std::vector<int32_t>> passes(3);
  for (int64_t step = 0; step < 37 * 3; ++step) {
    passes[static_cast<size_t>(step / 37)].push_back(data.batch(1, 7, step).tokens[0]);
  }
  for (const auto& pass : passes) CHECK(std::set<int32_t>(pass.begin(), pass.end()).size() == 37);
  CHECK(passes[0] != passes[1]);
  CHECK(data.batch(2, 7, 5).tokens[0] == passes[0][10]);
  CHECK(data.batch(2, 7, 5).tokens[3] == passes[0][11]);
  CHECK(data.batch(8, 7, 5).tokens != data.batch(8, 8, 5).tokens);
  CHECK(data.hash() == Dataset::of_texts(texts, 3).hash());
  texts[3][1] = 9;
  CHECK(data.hash() != Dataset::of_texts(texts, 3).hash());
  CHECK_THROWS_WITH_AS(Dataset::of_texts({}, 3).batch(1, 1, 0), "dataset: no rows to learn from", Error);
}

TEST_CASE("a text is cut at line ends into parts that together are the text, about a twentieth held out") {
  for (const int lines : {2, 3, 30, 5000}) {
    std::string text;
    for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + "\n";
    const TextSplit split = split_text(text);
    size_t train = 0, held_out = 0;
    for (const std::string& part : split.train) train += part.size();
    for (const std::string& part : split.held_out) {
      held_out += part.size();
      CHECK(part.ends_with('\n'));
      CHECK(text.find(part) != std::string::npos);
    }
    CHECK(train + held_out == text.size());
    CHECK(held_out > 0);
    CHECK(train >= held_out);
  }
  CHECK_THROWS_WITH_AS(split_text(""), "corpus: holds no text", Error);
  CHECK_THROWS_WITH_AS(split_text(" \n\n"), "corpus: holds no text", Error);
  CHECK_THROWS_AS(split_text("one line only"), Error);
}

}  // namespace tinyllm::test
