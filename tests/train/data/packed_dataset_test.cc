#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/data/samples.h>

#include "train/sample_run.h"

#include <cmath>
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
    sample.learned.back() = true;  // Samples with nothing learned are dropped.
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
  // Little is padding.
  CHECK(data.report().places == data.report().rows * kLength);
  CHECK(data.report().padding() < 0.05);
}

TEST_CASE("a sample longer than a row is cut; where nothing is learned it is dropped; both are counted") {
  const auto sample = [](int size, int learned_from) {
    Sample s;
    for (int i = 0; i < size; ++i) {
      s.tokens.push_back(10 + i);
      s.learned.push_back(i >= learned_from);
    }
    return s;
  };
  const Batch padded = Dataset::of_samples({sample(5, 2)}, 6, 7).in_order(0, 2);
  CHECK(std::vector(padded.tokens.begin() + 4, padded.tokens.end()) == std::vector<int32_t>(8, 7));
  CHECK(std::vector(padded.targets.begin() + 4, padded.targets.end()) == std::vector<int32_t>(8, kIgnore));
  // The last token is a target only: 5 tokens take 4 places.
  const Dataset data = Dataset::of_samples({sample(5, 2), sample(9, 5), sample(9, 6), sample(2, 2)}, 5);
  const PackReport& r = data.report();
  CHECK(r.samples == 4);
  CHECK(r.truncated == 2);
  CHECK(r.dropped == 2);
  CHECK(r.lost_tokens == 3 + 8 + 1);
  CHECK(r.tokens == 5 + 4);
  CHECK(r.learned_tokens == 3 + 1);
  CHECK(r.rows == 2);
  CHECK(r.padding() == doctest::Approx(1.0 / 10));
  CHECK(Dataset::of_samples({sample(9, 6)}, 5).rows() == 0);
  CHECK(Dataset::of_samples({}, 5).report().padding() == 0);
}

TEST_CASE("pieces go where they leave the least room") {
  // Each in the first row that has room, they would make three rows.
  std::vector<Sample> samples;
  for (const size_t size : std::initializer_list<size_t>{5, 7, 3, 5}) {
    samples.push_back({std::vector<int32_t>(size + 1, 10), std::vector<bool>(size + 1, true)});
  }
  CHECK(Dataset::of_samples(samples, 10).report().padding() == 0);
}

TEST_CASE("each sample of a packed row has the loss that it has alone") {
  const Model model = sample_model();
  ThreadPool pool(2);
  Evaluator evaluator(model, 1, 40, pool);
  const auto loss = [&](const std::vector<Sample>& samples) {
    const Dataset data = Dataset::of_samples(samples, 40);
    REQUIRE(data.rows() == 1);
    return evaluator.evaluate(data, 1).loss;
  };
  std::vector<Sample> samples;
  for (const size_t size : std::initializer_list<size_t>{14, 13, 12}) {
    const std::vector<int32_t> text = model.tokenizer->encode(sample_texts()[size]);
    REQUIRE(text.size() > size);
    samples.push_back({{text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)}, std::vector(size, true)});
  }
  // Sums of up to 40 terms in another order, three in the attention of each of two layers and one in the mean: each is
  // rounded by 2^-24 of itself for a term at most.
  const double tolerance = 40 * (2 * 3 + 1) * std::pow(2.0, -24);
  for (size_t learned = 0; learned < samples.size(); ++learned) {
    std::vector<Sample> row = samples;
    Sample joined;  // The same row, were the samples to see each other.
    for (size_t i = 0; i < row.size(); ++i) {
      row[i].learned.assign(row[i].tokens.size(), i == learned);
      joined.tokens.insert(joined.tokens.end(), row[i].tokens.begin(), row[i].tokens.end());
      joined.learned.insert(joined.learned.end(), row[i].learned.begin(), row[i].learned.end());
      if (!joined.learned.empty() && row[i].learned[0])
        joined.learned[joined.tokens.size() - row[i].tokens.size()] = false;
    }
    const double alone = loss({samples[learned]});
    CHECK(loss(row) == doctest::Approx(alone).epsilon(tolerance));
    if (learned > 0) CHECK(std::abs(loss({joined}) - alone) > 10 * tolerance * alone);
  }
}

TEST_CASE("what is learned of a line of several turns are the assistant's parts and their ends, and nothing else") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const ParsedSample parsed = parse_sample(
      R"({"messages": [{"role": "system", "content": "答题"}, {"role": "user", "content": "计算 7 + 35"},
          {"role": "assistant", "content": "等于 42。"}, {"role": "user", "content": "再加 <|assistant|> 1"},
          {"role": "assistant", "content": "43"}]})");
  const Sample sample = tokenize(tokenizer, default_chat_template()->render(std::get<Messages>(parsed.sample), {}));
  const Batch batch = Dataset::of_samples({sample}, 200).in_order(0, 1);
  std::vector<std::string> learned;
  std::vector<int32_t> part;
  for (const int32_t target : batch.targets) {
    if (target == kIgnore) continue;
    if (target != kEosId) {
      part.push_back(target);
      continue;
    }
    learned.push_back(tokenizer.decode(part));
    part.clear();
  }
  CHECK(learned == std::vector<std::string>{"等于 42。", "43"});
  CHECK(part.empty());
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

TEST_CASE("a text is cut at line ends into parts that together are the text, about a twentieth for validation") {
  for (const int lines : {2, 3, 30, 5000}) {
    std::string text;
    for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + "\n";
    const TextSplit split = split_text(text);
    size_t train = 0, validation = 0;
    for (const std::string& part : split.train) train += part.size();
    for (const std::string& part : split.validation) {
      validation += part.size();
      CHECK(part.ends_with('\n'));
      CHECK(text.find(part) != std::string::npos);
    }
    CHECK(train + validation == text.size());
    CHECK(validation > 0);
    CHECK(train >= validation);
  }
  CHECK_THROWS_WITH_AS(split_text(""), "corpus: holds no text", Error);
  CHECK_THROWS_WITH_AS(split_text(" \n\n"), "corpus: holds no text", Error);
  CHECK_THROWS_AS(split_text("one line only"), Error);
}

TEST_CASE("where the line between two documents stands, a new text begins, and the line is in none") {
  // Twenty lines of one length are twenty spans, of which the last is for validation.
  std::string before, after;
  for (int i = 0; i < 9; ++i) before += "one " + std::to_string(i) + "\n";
  for (int i = 0; i < 9; ++i) after += "two " + std::to_string(i) + "\n";
  const std::string last = "two x\n";
  for (const std::string line : {"\f\n", "\f\r\n"}) {
    const TextSplit split = split_text(before + line + after + last);
    CHECK(split.train == std::vector{before, after});
    CHECK(split.validation == std::vector{last});
  }
  CHECK(split_text(before + "\f" + after + last).train == std::vector{before + "\f" + after});
  CHECK(split_text("a\n\f\n\f\nb\n").validation == std::vector<std::string>{"b\n"});
  CHECK_THROWS_WITH_AS(split_text("\f\n \n\f\n"), "corpus: holds no text", Error);
  // A validation span of several documents.
  std::string long_lines;
  for (int i = 0; i < 19; ++i) long_lines += std::string(99, 'x') + "\n";
  const TextSplit split = split_text(long_lines + "a\n\f\n" + std::string(95, 'y') + "\n");
  CHECK(split.train == std::vector{long_lines});
  CHECK(split.validation == std::vector{std::string("a\n"), std::string(95, 'y') + "\n"});
}

}  // namespace tinyllm::test
