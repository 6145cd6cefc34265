#include <doctest/doctest.h>

#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/train/eval/log_likelihood.h>

#include "error_of.h"
#include "runtime/model_to_ask.h"
#include "test_data.h"

#include <cmath>

namespace tinyllm::eval::test {

using namespace tinyllm::test;

namespace {

// The tiny model of tests/data, whose logits PyTorch has computed in double precision.
Model reference_model() {
  const auto tokenizer = std::make_shared<const SentencePieceTokenizer>(sample_tokenizer());
  Model model{{.vocab_size = 97, .dim = 64, .n_layers = 2, .n_heads = 4, .ffn_dim = 128, .context = 16, .dropout = 0},
              tokenizer};
  const std::vector<WeightSpec> specs = weight_specs(model.config);
  init_weights(specs, 1, *model.weights);
  const Safetensors weights(test_data("tiny_weights.safetensors"));
  for (const WeightSpec& spec : specs) weights.read(spec.name, spec.shape, model.weights->at(spec.name).as<float>());
  return model;
}

std::vector<int32_t> part(std::span<const int32_t> tokens, size_t from, size_t count) {
  const auto some = tokens.subspan(from, count);
  return {some.begin(), some.end()};
}

}  // namespace

TEST_CASE("log-likelihoods are those of logits that were computed elsewhere") {
  const Model model = reference_model();
  const auto tokens = Safetensors(test_data("tiny_inputs.safetensors")).values<int32_t>("tokens.0");
  const auto logits = Safetensors(test_data("tiny_logits_loss.safetensors")).values<double>("logits");
  // log softmax of the reference, in double precision: of `token` after `position` of a row of 16.
  const auto expected = [&](size_t row, size_t position, int32_t token) {
    const double* at = logits.data() + (row * 16 + position) * 97;
    double sum = 0;
    for (size_t i = 0; i < 97; ++i) sum += std::exp(at[i]);
    return at[token] - std::log(sum);
  };
  Session session(model, {.sequences = 8, .cache_type = f32, .pool = ThreadPool(2)});
  LogLikelihoods likelihoods(session);
  for (size_t row = 0; row < 2; ++row) {
    const std::span<const int32_t> text = std::span<const int32_t>(tokens).subspan(row * 16, 16);
    // The true continuation, one token of it, one other token, and nothing.
    const Continuations asked{part(text, 0, 9), {part(text, 9, 7), part(text, 9, 1), {5}, {}}};
    const std::vector<double> found = likelihoods.of({{asked}})[0];
    double whole = 0;
    for (size_t position = 8; position < 15; ++position) whole += expected(row, position, text[position + 1]);
    // The logits are within 1e-4 of the largest (tests/model/reference_test.cc); a log-probability doubles that.
    CHECK(found[0] == doctest::Approx(whole).epsilon(7 * 2e-4 / 10));
    CHECK(found[1] == doctest::Approx(expected(row, 8, text[9])).epsilon(1e-4));
    CHECK(found[2] == doctest::Approx(expected(row, 8, 5)).epsilon(1e-4));
    CHECK(found[3] == 0);
  }
}

TEST_CASE("log-likelihoods do not depend on what is computed with them, on shared beginnings, or on threads") {
  const Model model = model_to_ask(64);
  std::vector<Continuations> all;
  for (uint64_t i = 0; i < 40; ++i) {
    Continuations one{random_tokens(model, i / 3, 10 + static_cast<int64_t>(i % 5)), {}};
    for (uint64_t j = 0; j < 2 + i % 4; ++j)
      one.endings.push_back(random_tokens(model, 100 + i + j, static_cast<int64_t>(1 + j)));
    all.push_back(std::move(one));
  }
  std::vector<std::vector<double>> alone;
  for (const Continuations& one : all) {
    Session session(model, {.sequences = 1, .cache_type = f32, .pool = ThreadPool(1)});
    alone.push_back(LogLikelihoods(session).of({{one}})[0]);
  }
  for (const int threads : {1, 3}) {
    for (const int64_t sequences : {1, 2, 32}) {
      Session session(model, {.sequences = sequences, .cache_type = f32, .pool = ThreadPool(threads)});
      LogLikelihoods likelihoods(session);
      CHECK(likelihoods.of(all) == alone);
      CHECK(likelihoods.of(std::span(all).subspan(7, 11)) ==
            std::vector<std::vector<double>>(alone.begin() + 7, alone.begin() + 18));
    }
  }
}

TEST_CASE("a token that spans the boundary is scored whole, and all endings from the same token on") {
  // As if encoding "ab" + "c" merged b and c: 1 2 | 3 becomes 1 7.
  const std::vector<int32_t> context = {1, 2};
  const Continuations found = split_continuations(context, {{1, 7}, {1, 2, 4}}, 100);
  CHECK(found.context == std::vector<int32_t>{1});
  CHECK(found.endings == std::vector<std::vector<int32_t>>{{7}, {2, 4}});
  const Continuations usual = split_continuations(context, {{1, 2, 3}, {1, 2, 3, 5}}, 100);
  CHECK(usual.context == context);
  CHECK(usual.endings == std::vector<std::vector<int32_t>>{{3}, {3, 5}});
}

TEST_CASE("what is too long loses its beginning") {
  const std::vector<int32_t> context = {1, 2, 3, 4, 5};
  const Continuations found = split_continuations(context, {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 7, 8}}, 5);
  CHECK(found.context == std::vector<int32_t>{3, 4, 5});
  CHECK(found.endings == std::vector<std::vector<int32_t>>{{6}, {7, 8}});
  const Model model = model_to_ask(64);
  Session session(model, {.sequences = 1, .cache_type = f32, .pool = ThreadPool(1)});
  LogLikelihoods likelihoods(session);
  CHECK(error_of([&] { likelihoods.of({{Continuations{{}, {{1}}}}}); }) == "log-likelihood: the context is empty");
  CHECK(error_of([&] { likelihoods.of({{Continuations{{1}, {random_tokens(model, 1, 70)}}}}); }) != "no error");
  CHECK(likelihoods.of({{Continuations{{1, 2}, {{5}}}}})[0][0] < 0);  // It still works.
}

}  // namespace tinyllm::eval::test
