#include <doctest/doctest.h>

#include <tinyllm/runtime/generator.h>
#include <tinyllm/tensor/philox.h>

#include "../model/sample_model.h"

#include <algorithm>

namespace tinyllm::test {
namespace {

Model sample_model(int64_t context = 160) {
  Model model =
      fresh_model({.dim = 32, .n_layers = 2, .n_heads = 4, .ffn_dim = 48, .context = context, .dropout = 0}, 3);
  // Larger weights than training begins with, so that answers depend on what was asked.
  for (const WeightSpec& spec : weight_specs(model.config)) {
    if (spec.role == WeightRole::vector) continue;
    for (float& w : model.weights->at(spec.name).as<float>()) w *= 8;
  }
  return model;
}

std::vector<int32_t> random_prompt(const Model& model, uint64_t seed, int64_t length) {
  Random random(seed);
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < length; ++i) {
    tokens.push_back(static_cast<int32_t>(4 + random.below(model.config.vocab_size - 4)));
  }
  return tokens;
}

// The likeliest next token of a whole sequence, by the graph that training uses.
int32_t next_by_training_graph(const Model& model, const std::vector<int32_t>& tokens) {
  Graph graph;
  const Shape shape = {1, static_cast<int64_t>(tokens.size())};
  const Tensor hidden = transformer(graph, model.config, {graph.input("t", i32, shape), graph.input("p", i32, shape)});
  const Tensor logits = lm_head(model.config, hidden);
  Program program = compile(graph, {logits}, {.threads = 2, .store = model.weights.get()});
  program.write("t", tokens);
  for (size_t i = 0; i < tokens.size(); ++i) program.as<int32_t>("p")[i] = static_cast<int32_t>(i);
  program.run();
  const auto last = program.read<float>(logits).last(static_cast<size_t>(model.config.vocab_size));
  return static_cast<int32_t>(std::max_element(last.begin(), last.end()) - last.begin());
}

}  // namespace

TEST_CASE("answers through the cache are those of the whole sequence computed anew for each token") {
  const Model model = sample_model();
  Generator generator(model, {.rows = 3, .threads = 2});
  // One chunk, exactly a chunk, and more than one; together.
  const std::vector<std::vector<int32_t>> prompts = {random_prompt(model, 1, 5), random_prompt(model, 2, 64),
                                                     random_prompt(model, 3, 130)};
  const auto answers = generator.generate(prompts, 12);
  REQUIRE(answers.size() == 3);
  for (size_t row = 0; row < 3; ++row) {
    std::vector<int32_t> sequence = prompts[row];
    for (const int32_t token : answers[row]) {
      CHECK(token == next_by_training_graph(model, sequence));
      sequence.push_back(token);
    }
    if (answers[row].size() < 12) CHECK(next_by_training_graph(model, sequence) == kEosId);
  }
  // Again, after the cache was used; and with fewer prompts than rows.
  CHECK(generator.generate({prompts[2]}, 12)[0] == answers[2]);
}

TEST_CASE("generation ends at the limit, at the end of the context, and when the caller says so") {
  const Model model = sample_model(40);
  Generator generator(model, {.rows = 1, .threads = 1});
  const std::vector<int32_t> prompt = random_prompt(model, 5, 10);
  CHECK(generator.generate({prompt}, 0)[0].empty());
  CHECK(generator.generate({prompt}, 3)[0].size() <= 3);
  CHECK(generator.generate({prompt}, 1000)[0].size() <= 31);
  int seen = 0;
  const auto answer = generator.generate({prompt}, 1000, [&](int64_t, int32_t) { return ++seen < 2; })[0];
  CHECK(answer.size() <= 2);
  CHECK(static_cast<size_t>(seen) == answer.size());
  CHECK_THROWS_AS(generator.generate({{}}, 3), Error);
  CHECK_THROWS_AS(generator.generate({random_prompt(model, 5, 40)}, 3), Error);
  CHECK_THROWS_AS(generator.generate({prompt, prompt}, 3), Error);
  CHECK_THROWS_AS(Generator(model, {.rows = 0}), Error);
}

TEST_CASE("streamed text never ends within a character, and nothing of it is lost") {
  const Tokenizer tokenizer = sample_tokenizer();
  const std::string text = "aé题\xF0\x9F\x98\x80 和 \xE2\x96\x81 end";
  TextStream stream(tokenizer);
  std::string streamed;
  for (const int32_t token : tokenizer.encode(text)) {
    const std::string part = stream.add(token);
    CHECK_NOTHROW(tokenizer.encode(part));  // Whole characters only.
    streamed += part;
  }
  CHECK(streamed == text);
  CHECK(stream.finish().empty());
  stream.add(tokenizer.encode("\xF0\x9F\x98\x80")[0]);
  CHECK_FALSE(stream.finish().empty());
}

}  // namespace tinyllm::test
