#include <doctest/doctest.h>

#include <tinyllm/model/quantize.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/runtime/session.h>
#include <tinyllm/tensor/program.h>

#include "runtime/model_to_ask.h"
#include "temp_folder.h"

#include <cmath>
#include <fstream>

#include <unistd.h>

namespace tinyllm::test {
namespace {

using Logits = std::vector<float>;

// Behind every token, by the graph that training uses.
std::vector<Logits> by_training_graph(const Model& model, const std::vector<int32_t>& tokens) {
  Graph graph;
  const Shape shape = {1, static_cast<int64_t>(tokens.size())};
  const Tensor hidden = transformer(graph, model.config, {graph.input("t", i32, shape), graph.input("p", i32, shape)});
  const Tensor logits = lm_head(model.config, hidden);
  Program program = compile(graph, {logits}, {.pool = ThreadPool(2), .store = model.weights.get()});
  program.write("t", tokens);
  for (size_t i = 0; i < tokens.size(); ++i) program.data<int32_t>("p")[i] = static_cast<int32_t>(i);
  program.run();
  const auto all = program.read<float>(logits);
  std::vector<Logits> rows;
  const auto vocab = static_cast<std::ptrdiff_t>(model.config.vocab_size);
  for (auto at = all.begin(); at != all.end(); at += vocab) rows.emplace_back(at, at + vocab);
  return rows;
}

Logits logits_of(const Sequence& sequence) { return {sequence.logits().begin(), sequence.logits().end()}; }

// The logits of a new session after tokens that it reads at once.
Logits fresh(const Model& model, const std::vector<int32_t>& tokens, DType cache_type = fastest_cache_type()) {
  Session session(model, {.sequences = 1, .cache_type = cache_type, .pool = ThreadPool(1)});
  Sequence sequence = session.start();
  session.forward(sequence, tokens);
  return logits_of(sequence);
}

std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::span<const int32_t> part(const std::vector<int32_t>& tokens, size_t from, size_t count) {
  return std::span(tokens).subspan(from, count);
}

// Reads three sequences in random pieces beside one another.
void check_against_training_graph(const Model& model) {
  Random random(7);
  for (const int threads : {1, 3}) {
    Session session(model, {.sequences = 3, .cache_type = f32, .pool = ThreadPool(threads)});
    std::vector<std::vector<int32_t>> tokens;
    std::vector<std::vector<Logits>> expected, got(3);
    std::vector<Sequence> sequences;
    for (uint64_t i = 0; i < 3; ++i) {
      tokens.push_back(random_tokens(model, i, i == 0 ? 200 : 30 + random.below(170)));
      expected.push_back(by_training_graph(model, tokens.back()));
      sequences.push_back(session.start());
    }
    for (bool done = false; !done;) {
      std::vector<Session::Feed> feeds;
      std::vector<size_t> which;
      for (size_t i = 0; i < 3; ++i) {
        const size_t read = sequences[i].tokens().size(), left = tokens[i].size() - read;
        const auto piece = static_cast<size_t>(random.below(random.below(2) == 0 ? 3 : 90));
        if (left == 0) continue;
        feeds.push_back({&sequences[i], part(tokens[i], read, std::min(left, piece))});
        which.push_back(i);
      }
      session.forward(feeds, [&](size_t feed, size_t, std::span<const float> logits) {
        got[which[feed]].emplace_back(logits.begin(), logits.end());
      });
      done = which.empty();
    }
    for (size_t i = 0; i < 3; ++i) {
      REQUIRE(got[i].size() == tokens[i].size());
      CHECK(logits_of(sequences[i]) == got[i].back());
      for (size_t t = 0; t < tokens[i].size(); ++t) {
        CHECK(got[i][t] == expected[i][t]);  // To the bit: training sums in the same order.
      }
    }
  }
}

}  // namespace

TEST_CASE("logits are those of the training graph at every position, whatever pieces are read with whatever beside") {
  check_against_training_graph(model_to_ask());
}

TEST_CASE("so are those of a model in the form of Llama, and of its quantised weights") {
  const Model model = model_to_ask({.dim = 64,
                                    .n_layers = 2,
                                    .n_heads = 4,
                                    .n_kv_heads = 2,
                                    .ffn_dim = 96,
                                    .ffn = FeedForward::swiglu,
                                    .ffn_bias = false,
                                    .context = 200,
                                    .dropout = 0});
  check_against_training_graph(model);
  for (const Type type : kPackedTypes) {
    const TempFolder folder;
    save_quantized(model, {.matrices = type, .tables = type}, folder.path(), ThreadPool(2));
    check_against_training_graph(load_model(folder.path()));
  }
}

TEST_CASE("a prompt longer than a pass is read in several") {
  const Model model = model_to_ask(1200);
  const std::vector<int32_t> tokens = random_tokens(model, 7, 1100);
  const auto logits_in_pieces = [&](size_t piece) {
    Session session(model);
    Sequence sequence = session.start();
    for (size_t at = 0; at < tokens.size(); at += piece) {
      session.forward(sequence, part(tokens, at, std::min(piece, tokens.size() - at)));
    }
    return logits_of(sequence);
  };
  CHECK(logits_in_pieces(tokens.size()) == logits_in_pieces(90));
}

TEST_CASE("logits are the same bits alone or in a batch, at once or token by token, on any number of threads") {
  const Model model = model_to_ask();
  const std::vector<int32_t> tokens = random_tokens(model, 1, 150);
  for (const auto& [type, threads] : {std::pair{f32, 1}, {f32, 2}, {f32, 8}, {f16, 1}, {f16, 2}, {f16, 3}, {f16, 8}}) {
    const Logits alone = fresh(model, tokens, type);
    for (const size_t neighbours : {0, 1, 4, 20}) {
      Session session(model, {.sequences = 21, .cache_type = type, .pool = ThreadPool(threads)});
      Sequence sequence = session.start();
      std::vector<Sequence> others;
      for (size_t i = 0; i < neighbours; ++i) others.push_back(session.start());
      for (size_t at = 0; at < tokens.size();) {
        const size_t piece = std::min(tokens.size() - at, neighbours == 20 ? 1 : 1 + 13 * neighbours);
        std::vector<Session::Feed> feeds = {{&sequence, part(tokens, at, piece)}};
        for (Sequence& other : others) feeds.insert(feeds.begin(), {&other, part(tokens, at / 2, 1)});
        session.forward(feeds);
        at += piece;
      }
      CHECK(logits_of(sequence) == alone);
    }
  }
}

TEST_CASE("a sequence that was forked, truncated, or begins with a shared prefix gives the bits of a fresh one") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4, .pool = ThreadPool(2)});
  // Within a page, at its end, and after it.
  for (const int64_t shared : {1, 63, 64, 65, 130}) {
    CAPTURE(shared);
    const auto prefix = random_tokens(model, 1, shared);
    const auto a = random_tokens(model, 2, 40), b = random_tokens(model, 3, 1), c = random_tokens(model, 4, 66);
    Sequence first = session.start();
    session.forward(first, prefix);
    Sequence second = first.fork();
    Sequence third = first.fork();
    CHECK(logits_of(second) == fresh(model, prefix));
    session.forward(first, a);
    const std::vector<Session::Feed> both = {{&second, b}, {&third, c}};
    session.forward(both);
    CHECK(logits_of(first) == fresh(model, joined(prefix, a)));
    CHECK(logits_of(second) == fresh(model, joined(prefix, b)));
    CHECK(logits_of(third) == fresh(model, joined(prefix, c)));

    first.truncate(shared);
    CHECK(first.logits().empty());
    CHECK(first.tokens() == prefix);
    session.forward(first, c);
    CHECK(logits_of(first) == logits_of(third));
    third.truncate(0);
    session.forward(third, a);
    CHECK(logits_of(third) == fresh(model, a));
    session.forward(second, a);
    CHECK(logits_of(second) == fresh(model, joined(joined(prefix, b), a)));
  }
}

TEST_CASE("forks share their logits until one of them continues") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 2, .pool = ThreadPool(1)});
  Sequence first = session.start();
  session.forward(first, random_tokens(model, 1, 5));
  Sequence second = first.fork();
  CHECK(second.logits().data() == first.logits().data());
  const Logits before = logits_of(first);
  session.forward(second, random_tokens(model, 2, 1));
  CHECK(logits_of(first) == before);
  CHECK(logits_of(second) != before);
  const float* own = second.logits().data();
  session.forward(second, random_tokens(model, 3, 1));
  CHECK(second.logits().data() == own);  // Its memory is used again.
  first.fork().drop_logits();
  CHECK(logits_of(first) == before);
}

TEST_CASE("a session that is prepared holds the memory of its cache, and what the cache holds is kept") {
  const auto resident = [] {
    size_t all = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> all >> pages;
    return static_cast<int64_t>(pages) * sysconf(_SC_PAGESIZE);
  };
  const Model model = model_to_ask();
  Session session(model, {.sequences = 2000, .pool = ThreadPool(1)});
  Sequence sequence = session.start();
  const auto prompt = random_tokens(model, 1, 70), more = random_tokens(model, 2, 3);
  session.forward(sequence, prompt);
  const int64_t before = resident();
  session.prepare(1, 1);
  CHECK(session.cache_bytes() > 64 << 20);
  CHECK(resident() - before > session.cache_bytes() * 9 / 10);
  session.forward(sequence, more);
  CHECK(logits_of(sequence) == fresh(model, joined(prompt, more)));
}

TEST_CASE("a cache of halves takes half the memory, and its logits are nearly those of floats") {
  const Model model = model_to_ask();
  const Session floats(model, {.sequences = 5, .cache_type = f32}), halves(model, {.sequences = 5, .cache_type = f16});
  CHECK(halves.cache_bytes() * 2 == floats.cache_bytes());
  CHECK(halves.free_pages() == floats.free_pages());

  const std::vector<int32_t> tokens = random_tokens(model, 1, 150);
  const Logits exact = fresh(model, tokens, f32), rounded = fresh(model, tokens, f16);
  CHECK(exact != rounded);
  double squares = 0, size = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    squares += std::pow(double(rounded[i]) - double(exact[i]), 2);
    size += std::pow(double(exact[i]), 2);
  }
  // Keys and values are off by up to 2^-11 of themselves, at random.
  CHECK(std::sqrt(squares / size) < 0x1p-11);
}

TEST_CASE("a shared prefix is stored once, and what sequences held is free when they are gone") {
  const Model model = model_to_ask(256);
  Session session(model, {.sequences = 2, .pool = ThreadPool(1)});
  for (int round = 0; round < 3; ++round) {
    Sequence prefix = session.start();
    session.forward(prefix, random_tokens(model, 1, 192));
    // Ten contexts of 256 in the room of two.
    std::vector<Sequence> chains;
    for (uint64_t i = 0; i < 5; ++i) {
      chains.push_back(prefix.fork());
      session.forward(chains.back(), random_tokens(model, i, 64));
    }
    Sequence one_more = prefix.fork();
    const auto token = random_tokens(model, 9, 1);
    session.forward(one_more, token);
    Sequence too_many = prefix.fork();
    CHECK_THROWS_WITH_AS(session.forward(too_many, token),
                         "session: 1 more pages of 64 tokens, expected at most the 0 that are free", Error);
    CHECK(too_many.size() == 192);
  }
}

TEST_CASE("what cannot be read is refused, and nothing is changed") {
  const Model model = model_to_ask(100);
  Session session(model), other(model);
  Sequence sequence = session.start(), foreign = other.start();
  session.forward(sequence, random_tokens(model, 1, 60));
  const Logits before = logits_of(sequence);
  CHECK_THROWS_AS(session.forward(sequence, random_tokens(model, 1, 41)), Error);
  CHECK_THROWS_AS(session.forward(sequence, std::vector<int32_t>{5, -1}), Error);
  CHECK_THROWS_AS(session.forward(sequence, std::vector<int32_t>{static_cast<int32_t>(model.config.vocab_size)}),
                  Error);
  CHECK_THROWS_AS(session.forward(foreign, random_tokens(model, 1, 1)), Error);
  const auto token = random_tokens(model, 1, 1);
  const std::vector<Session::Feed> twice = {{&sequence, token}, {&sequence, token}};
  CHECK_THROWS_AS(session.forward(twice), Error);
  CHECK_THROWS_AS(sequence.truncate(61), Error);
  CHECK_THROWS_AS(sequence.truncate(-1), Error);
  CHECK(sequence.size() == 60);
  CHECK(logits_of(sequence) == before);
  CHECK_THROWS_AS(Session(model, {.sequences = 0}), Error);
  CHECK_THROWS_AS(Session(model, {.pool = ThreadPool(0)}), Error);
  CHECK_THROWS_WITH_AS(Session(model, {.context = 101}),
                       "session: a context of 101 tokens, expected 1 to the model's 100", Error);
  CHECK_THROWS_AS(Session(model, {.context = -1}), Error);
  CHECK_THROWS_WITH_AS(Session(model, {.cache_type = bf16}), "session: a cache of bf16, expected f32 or f16", Error);
  Session shorter(model, {.context = 50});
  Sequence limited = shorter.start();
  CHECK_THROWS_WITH_AS(shorter.forward(limited, random_tokens(model, 1, 51)),
                       "session: 51 tokens after 0, expected at most 50 in all", Error);
  session.forward(sequence, random_tokens(model, 1, 40));
  CHECK(sequence.size() == 100);
}

}  // namespace tinyllm::test
