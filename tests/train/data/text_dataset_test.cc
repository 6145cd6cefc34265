#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/data/text_dataset.h>

#include "model/text/sample_text.h"
#include "temp_folder.h"

#include <algorithm>
#include <map>
#include <set>

namespace tinyllm::test {
namespace {

// A file of documents of random tokens, of which few pairs of neighbours are alike.
class SampleFile {
 public:
  explicit SampleFile(const std::vector<int64_t>& lengths) {
    Random random(3);
    write_file(folder_ / "tokens", [&](const Append& append) {
      TokenFileWriter writer(tokenizer_, append);
      for (const int64_t length : lengths) {
        std::vector<int32_t> document(static_cast<size_t>(length));
        for (int32_t& token : document) token = static_cast<int32_t>(10 + random.below(tokenizer_.size() - 10));
        writer.add(document);
        writer.end_document();
        document.push_back(kEosId);
        documents_.push_back(document);
      }
      writer.finish();
    });
    file_ = std::make_shared<TokenFile>(folder_ / "tokens", tokenizer_);
  }

  TextDataset rows(TextOptions options) const { return {file_, options}; }
  const std::vector<std::vector<int32_t>>& documents() const { return documents_; }

  static std::vector<int64_t> lengths(int count, int64_t longest) {
    Random random(5);
    std::vector<int64_t> all;
    for (int i = 0; i < count; ++i) all.push_back(1 + random.below(longest));
    return all;
  }

 private:
  TempFolder folder_;
  SentencePieceTokenizer tokenizer_ = sample_tokenizer();
  std::vector<std::vector<int32_t>> documents_;
  std::shared_ptr<const TokenFile> file_;
};

// How often each token is learned after each other one.
using Learned = std::map<std::pair<int32_t, int32_t>, int>;

Learned learned_in(const TextDataset& data) {
  Learned learned;
  const Batch batch = data.in_order(0, data.rows());
  for (size_t i = 0; i < batch.tokens.size(); ++i) {
    if (batch.targets[i] != kIgnore) ++learned[{batch.tokens[i], batch.targets[i]}];
  }
  return learned;
}

using Runs = std::vector<std::vector<int32_t>>;

// The tokens of a part that stand together in the file: with DocumentEnd::nothing, a sample of one long row each.
Runs runs_of(const SampleFile& sample, TextOptions options) {
  options.length = 100000;
  options.document_end = DocumentEnd::nothing;
  const TextDataset data = sample.rows(options);
  REQUIRE(data.rows() == 1);
  const Batch batch = data.in_order(0, 1);
  Runs runs;
  for (size_t i = 0; i < static_cast<size_t>(data.tokens()); ++i) {
    if (batch.positions[i] == 0) runs.emplace_back();
    runs.back().push_back(batch.tokens[i]);
  }
  return runs;
}

Learned learned_of(const Runs& runs, DocumentEnd document_end) {
  Learned learned;
  for (const std::vector<int32_t>& run : runs) {
    for (size_t i = 1; i < run.size(); ++i) {
      if (document_end == DocumentEnd::nothing || run[i - 1] != kEosId) ++learned[{run[i - 1], run[i]}];
    }
  }
  return learned;
}

// The runs of two parts by turns; the first of all runs is of `a`.
std::vector<int32_t> by_turns(const Runs& a, const Runs& b) {
  std::vector<int32_t> all;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i < a.size()) all.insert(all.end(), a[i].begin(), a[i].end());
    if (i < b.size()) all.insert(all.end(), b[i].begin(), b[i].end());
  }
  return all;
}

constexpr DocumentEnd kEnds[] = {DocumentEnd::row, DocumentEnd::attention, DocumentEnd::nothing};

}  // namespace

TEST_CASE("every token is learned once, after the one before it, whatever the ends of documents end") {
  const SampleFile sample(SampleFile::lengths(200, 90));
  Learned apart, across;
  int32_t last = kIgnore;
  for (const std::vector<int32_t>& document : sample.documents()) {
    for (const int32_t token : document) {
      if (last != kIgnore) ++across[{last, token}];
      if (last != kIgnore && last != kEosId) ++apart[{last, token}];
      last = token;
    }
  }
  for (const int64_t length : {1, 7, 32, 64, 1000, 100000}) {
    CAPTURE(length);
    CHECK(learned_in(sample.rows({.length = length, .document_end = DocumentEnd::row})) == apart);
    CHECK(learned_in(sample.rows({.length = length, .document_end = DocumentEnd::attention})) == apart);
    CHECK(learned_in(sample.rows({.length = length, .document_end = DocumentEnd::nothing})) == across);
  }
}

TEST_CASE("rows without gaps hold the documents in order; positions and starts keep them apart where asked") {
  const SampleFile sample({2, 3, 6});  // With their ends: 3, 4 and 7.
  std::vector<int32_t> stream;
  for (const auto& document : sample.documents()) stream.insert(stream.end(), document.begin(), document.end());
  const TextDataset apart = sample.rows({.length = 8, .document_end = DocumentEnd::attention});
  REQUIRE(apart.rows() == 2);
  const Batch batch = apart.in_order(0, 2);
  stream.resize(16, kPadId);
  CHECK(batch.tokens == stream);
  CHECK(batch.positions == std::vector<int32_t>{0, 1, 2, 0, 1, 2, 3, 0, 0, 1, 2, 3, 4, 5, 0, 1});
  CHECK(batch.starts == std::vector<int32_t>{0, 0, 0, 3, 3, 3, 3, 7, 0, 0, 0, 0, 0, 0, 6, 6});
  CHECK(batch.targets[1] == kEosId);
  CHECK(batch.targets[2] == kIgnore);
  CHECK(batch.targets[7] == stream[8]);
  CHECK(batch.targets[13] == kIgnore);

  const Batch seen = sample.rows({.length = 8, .document_end = DocumentEnd::nothing}).in_order(0, 2);
  CHECK(seen.tokens == stream);
  CHECK(seen.positions == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 0, 1});
  CHECK(seen.starts == std::vector<int32_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 6});
  CHECK(seen.targets[2] == stream[3]);
}

TEST_CASE("where every document begins a row, its end is followed by padding") {
  const SampleFile sample({2, 6});
  const TextDataset data = sample.rows({.length = 4, .document_end = DocumentEnd::row});
  REQUIRE(data.rows() == 3);
  const Batch batch = data.in_order(0, 3);
  const std::vector<int32_t>& first = sample.documents()[0];
  const std::vector<int32_t>& second = sample.documents()[1];
  const auto kNone = kIgnore;
  CHECK(batch.tokens == std::vector<int32_t>{first[0], first[1], kPadId, kPadId, second[0], second[1], second[2],
                                             second[3], second[4], second[5], kPadId, kPadId});
  CHECK(batch.targets == std::vector<int32_t>{first[1], kEosId, kNone, kNone, second[1], second[2], second[3],
                                              second[4], second[5], kEosId, kNone, kNone});
  CHECK(batch.positions == std::vector<int32_t>{0, 1, 0, 1, 0, 1, 2, 3, 0, 1, 0, 1});
  CHECK(batch.starts == std::vector<int32_t>{0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 2, 2});
}

TEST_CASE("two times through a file every row comes once each, in other orders, as (seed, step) say") {
  const SampleFile sample(SampleFile::lengths(60, 50));
  for (const DocumentEnd end : kEnds) {
    const TextDataset data = sample.rows({.length = 16, .document_end = end});
    std::multiset<std::vector<int32_t>> all;
    for (int64_t i = 0; i < data.rows(); ++i) all.insert(data.in_order(i, 1).tokens);
    std::vector<std::vector<int32_t>> passes[2];
    for (int64_t i = 0; i < 2 * data.rows(); ++i) passes[i / data.rows()].push_back(data.batch(1, 7, i).tokens);
    for (const auto& pass : passes) CHECK(std::multiset<std::vector<int32_t>>(pass.begin(), pass.end()) == all);
    CHECK(passes[0] != passes[1]);

    // Neither what was asked before, nor another object, changes a batch; the seed does.
    const Batch batch = sample.rows({.length = 16, .document_end = end}).batch(4, 7, 3);
    CHECK(batch.tokens == data.batch(4, 7, 3).tokens);
    CHECK(batch.targets == data.batch(4, 7, 3).targets);
    CHECK(std::equal(passes[0][12].begin(), passes[0][12].end(), batch.tokens.begin()));
    CHECK(batch.tokens != data.batch(4, 8, 3).tokens);
  }
}

TEST_CASE("what is for validation is not learned from, and together they are the file") {
  struct Case {
    const char* what;
    std::vector<int64_t> lengths;
    int64_t every;
  };
  const Case cases[] = {
      {"documents", SampleFile::lengths(2000, 40), 10},
      {"one document", {30000}, 5},
      {"few documents", SampleFile::lengths(30, 2000), 10},
      {"a short text", {50}, 10},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const SampleFile sample(c.lengths);
    std::vector<int32_t> stream;
    for (const auto& document : sample.documents()) stream.insert(stream.end(), document.begin(), document.end());
    const Runs train_runs = runs_of(sample, {.part = TextPart::train, .validation_every = c.every});
    const Runs validation_runs = runs_of(sample, {.part = TextPart::validation, .validation_every = c.every});
    const bool is_first_validation = validation_runs[0][0] == stream[0];
    CHECK(stream ==
          (is_first_validation ? by_turns(validation_runs, train_runs) : by_turns(train_runs, validation_runs)));
    if (c.lengths.size() > 1000) {
      const auto is_whole = [](const std::vector<int32_t>& run) { return run.back() == kEosId; };
      CHECK(std::all_of(train_runs.begin(), train_runs.end(), is_whole));
    }
    for (const DocumentEnd end : kEnds) {
      TextOptions options{.length = 32, .document_end = end, .validation_every = c.every};
      const TextDataset all = sample.rows(options);
      options.part = TextPart::train;
      const TextDataset train = sample.rows(options);
      options.part = TextPart::validation;
      const TextDataset validation = sample.rows(options);
      CHECK(train.tokens() + validation.tokens() == all.tokens());
      CHECK(validation.tokens() * c.every > all.tokens() / 2);
      CHECK(validation.tokens() * c.every < all.tokens() * 2);
      CAPTURE(static_cast<int>(end));
      // A token behind a gap has none before it.
      CHECK(learned_in(train) == learned_of(train_runs, end));
      CHECK(learned_in(validation) == learned_of(validation_runs, end));
      CHECK(train.hash() != validation.hash());
      CHECK(train.hash() != all.hash());
    }
  }
}

TEST_CASE("rows that cannot be are refused") {
  const SampleFile sample({3});
  CHECK_THROWS_AS(sample.rows({.length = 0}), Error);
  CHECK_THROWS_AS(sample.rows({.part = TextPart::train, .validation_every = 1}), Error);
  CHECK_THROWS_AS(sample.rows({.part = TextPart::train}), Error);
  CHECK(SampleFile({3}).rows({}).hash() == sample.rows({}).hash());
  CHECK(SampleFile({4}).rows({}).hash() != sample.rows({}).hash());
  CHECK_THROWS_WITH_AS(SampleFile(std::vector<int64_t>{}).rows({}).batch(1, 1, 0), "dataset: no rows to learn from",
                       Error);
}

}  // namespace tinyllm::test
