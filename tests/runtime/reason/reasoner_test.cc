#include <doctest/doctest.h>

#include <tinyllm/runtime/generate.h>
#include <tinyllm/runtime/reason/reasoner.h>

#include "error_of.h"
#include "runtime/constraint/table_tokenizer.h"
#include "runtime/model_to_ask.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tinyllm::test {
namespace {

// A model whose tokens are bytes.
Model byte_model(int64_t context = 256) {
  const auto tokenizer = std::make_shared<const TableTokenizer>(std::vector<std::string>{});
  Model model{{.vocab_size = tokenizer->size(),
               .dim = 32,
               .n_layers = 2,
               .n_heads = 4,
               .ffn_dim = 48,
               .context = context,
               .dropout = 0},
              tokenizer};
  init_weights(weight_specs(model.config), 3, *model.weights);
  return model;
}

// Answers with a text in which each * is one byte of `choices`: the model draws the first, the others repeat it.
Constraint script(const Model& model, const std::string& text, const std::string& choices) {
  auto allowed = std::make_shared<std::vector<bool>>(static_cast<size_t>(model.config.vocab_size));
  for (const int32_t token : model.tokenizer->encode(choices)) (*allowed)[static_cast<size_t>(token)] = true;
  const std::vector<int32_t> tokens = model.tokenizer->encode(text);
  const int32_t drawn = model.tokenizer->encode("*")[0];
  return [=](std::span<const int32_t> answer) {
    if (answer.size() == tokens.size()) return NextTokens{{TableTokenizer::kEnd}};
    const int32_t next = tokens[answer.size()];
    if (next != drawn) return NextTokens{{next}};
    const auto first = static_cast<size_t>(std::ranges::find(tokens, drawn) - tokens.begin());
    if (first < answer.size()) return NextTokens{{answer[first]}};
    return NextTokens{.allowed = allowed.get()};
  };
}

Question question(const Model& model, uint64_t seed, int64_t tokens = 100) {
  return {random_tokens(model, seed, tokens)};
}

// A question in words that a model of bytes reads.
Question bytes(const Model& model, const std::string& text) { return {model.tokenizer->encode(text), text}; }

ReasonOptions scripted(const Model& model, const std::string& text, const std::string& choices) {
  ReasonOptions options;
  options.answer.sampling.temperature = 100;  // Any choice is about as likely.
  options.answer.constraint = script(model, text, choices);
  return options;
}

void check_same(const Reasoned::Chain& a, const Completion& b) {
  CHECK(a.completion.tokens == b.tokens);
  CHECK(a.completion.text == b.text);
  REQUIRE(a.completion.log_probs.size() == b.log_probs.size());
  for (size_t i = 0; i < b.log_probs.size(); ++i) CHECK(a.completion.log_probs[i].log_prob == b.log_probs[i].log_prob);
}

}  // namespace

TEST_CASE("chain k is the same to the bit: alone, with any number of chains, questions and threads") {
  const Model model = model_to_ask();
  const GenerateOptions answer{.max_tokens = 30, .sampling = {.temperature = 1, .seed = 11}, .top_log_probs = 0};
  std::vector<Completion> alone;
  Session session(model, {.sequences = 12, .pool = ThreadPool(1)});
  for (int64_t k = 0; k < 7; ++k) {
    Request request{.prompt = question(model, 1).prompt, .options = answer};
    request.options.sampling.seed = seed_of_choice(11, k);
    alone.push_back(generate(session, {&request, 1})[0]);
  }
  CHECK(alone[0].tokens != alone[1].tokens);
  for (const int threads : {1, 3}) {
    Session other(model, {.sequences = 12, .pool = ThreadPool(threads)});
    Reasoner reasoner(other);
    for (const int64_t chains : {1, 2, 7}) {
      const ReasonOptions options{.chains = chains, .confidence = 1, .answer = answer};
      std::vector<Reasoned> all(3);
      for (size_t i = 0; i < 3; ++i) {
        reasoner.submit(question(model, 1 + i, 100 - 30 * static_cast<int64_t>(i)), options,
                        [&, i](Reasoned reasoned) { all[i] = std::move(reasoned); });
      }
      while (reasoner.step()) {
      }
      REQUIRE(std::ssize(all[0].chains) == chains);
      for (size_t k = 0; k < all[0].chains.size(); ++k) check_same(all[0].chains[k], alone[k]);
    }
  }
}

TEST_CASE("the prompt is computed once, a short one too") {
  const Model model = model_to_ask();
  for (const int64_t tokens : {2, 20, 100}) {
    Session session(model, {.sequences = 8});
    const Reasoned reasoned = Reasoner(session).reason(
        question(model, 1, tokens),
        {.chains = 7, .confidence = 1, .answer = {.max_tokens = 8, .sampling = {.temperature = 1}}});
    int64_t computed = 0;
    for (const Reasoned::Chain& chain : reasoned.chains)
      computed += chain.completion.prompt_tokens - chain.completion.cached_tokens;
    CHECK(computed == tokens + 6);  // The other chains compute its last token, for their logits.
  }
}

TEST_CASE("chains vote, and those with false equations weigh less") {
  const Model model = byte_model();
  Session session(model, {.sequences = 12});
  Reasoner reasoner(session);
  ReasonOptions options = scripted(model, "3+4=*。答案：*", "78");
  options.chains = 9;
  options.confidence = 1;
  options.answer.sampling.seed = 2;
  const Reasoned reasoned = reasoner.reason(bytes(model, "3+4"), options);
  std::map<std::string, int> count;
  for (const Reasoned::Chain& chain : reasoned.chains) ++count[chain.ballot.answer.said];
  REQUIRE(count["7"] > 0);
  REQUIRE(count["8"] > 0);
  CHECK(count["7"] + count["8"] == 9);
  CHECK(reasoned.chains[reasoned.verdict.chain].ballot.answer.said == "7");
  CHECK(reasoned.verdict.agreement == doctest::Approx(count["7"] / 9.0));
  CHECK(reasoned.verdict.candidates[0].score == count["7"]);
  CHECK(reasoned.verdict.candidates[1].score == doctest::Approx(count["8"] * 0.1));

  SUBCASE("without the calculator each has one vote") {
    options.calculator = CalculatorUse::off;
    const Verdict verdict = reasoner.reason(bytes(model, "3+4"), options).verdict;
    CHECK(verdict.candidates[0].score == std::max(count["7"], count["8"]));
  }
  SUBCASE("corrected, all say the same") {
    options.calculator = CalculatorUse::correct;
    const Reasoned corrected = reasoner.reason(bytes(model, "3+4"), options);
    CHECK(corrected.verdict.agreement == 1);
    for (const Reasoned::Chain& chain : corrected.chains)
      CHECK(chain.ballot.corrections.size() == (chain.completion.text.starts_with("3+4=8") ? 2 : 0));
  }
}

TEST_CASE("sampling stops when the answer is decided, after chains that are known beforehand") {
  const Model model = byte_model();
  Session session(model, {.sequences = 12});
  Reasoner reasoner(session);
  const auto asked = [&](const std::string& choices, uint64_t seed, double confidence) {
    ReasonOptions options = scripted(model, "答案：*", choices);
    options.chains = 11;
    options.confidence = confidence;
    options.answer.sampling.seed = seed;
    return reasoner.reason(bytes(model, "?"), options);
  };
  CHECK(asked("7", 1, 0.9).chains.size() == 3);
  CHECK(asked("7", 1, 1).chains.size() == 11);
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const Reasoned all = asked("78", seed, 1), stopped = asked("78", seed, 0.9);
    Poll poll("", {.chains = 11});
    size_t next = 0;
    while (!poll.is_over()) {
      for (const size_t end = poll.open(); next < end; ++next) poll.add(next, {all.chains[next].completion.text});
    }
    CHECK(stopped.chains.size() == next);
    for (size_t i = 0; i < stopped.chains.size(); ++i) check_same(stopped.chains[i], all.chains[i].completion);
    sizes.insert(next);
  }
  CHECK(sizes.size() > 1);
}

TEST_CASE("chains that think have their answer after the thinking") {
  const Model model = byte_model();
  Session session(model, {.sequences = 4});
  Reasoner reasoner(session);
  Question asked = bytes(model, "?<think>\n");
  asked.begun = "<think>\n";
  const Reasoned reasoned = reasoner.reason(asked, scripted(model, "答案：1\n</think>\n\n答案：*", "7"));
  CHECK(reasoned.verdict.agreement == 1);
  CHECK(reasoned.chains[0].ballot.answer.said == "7");
  // The thinking never ends.
  ReasonOptions endless = scripted(model, "答案：1\n\n\n\n\n\n\n\n\n*", "7");
  endless.answer.max_tokens = 14;
  CHECK(reasoner.reason(asked, endless).verdict.candidates.empty());
}

TEST_CASE("chains without an answer") {
  const Model model = byte_model();
  Session session(model, {.sequences = 4});
  const Reasoned reasoned = Reasoner(session).reason(bytes(model, "?"), scripted(model, "", ""));
  CHECK(reasoned.chains.size() == 5);
  CHECK(reasoned.verdict.candidates.empty());
  CHECK(reasoned.verdict.agreement == 0);
  CHECK(reasoned.chains[reasoned.verdict.chain].ballot.text.empty());
}

TEST_CASE("results that the calculator forces are right, and are not the model's own words") {
  const Model model = byte_model();
  Session session(model, {.sequences = 4});
  ReasonOptions options{.chains = 3, .calculator = CalculatorUse::force};
  options.answer = {.max_tokens = 150, .sampling = {.temperature = 1}};
  for (const int32_t token : model.tokenizer->encode("12")) options.answer.sampling.logit_bias.emplace_back(token, 22);
  for (const int32_t token : model.tokenizer->encode("+=")) options.answer.sampling.logit_bias.emplace_back(token, 22);
  const Reasoned reasoned = Reasoner(session).reason(bytes(model, "?"), options);
  const CalculatorConstraints constraints(*model.tokenizer, model.config.vocab_size);
  size_t results = 0;
  for (const Reasoned::Chain& chain : reasoned.chains) {
    CHECK(chain.ballot.false_equations.empty());
    const std::vector<bool> written = constraints.written(chain.completion.tokens);
    double sum = 0, own = 0;
    for (size_t i = 0; i < written.size(); ++i) {
      results += written[i];
      if (!written[i]) sum += chain.completion.log_probs[i].log_prob;
      if (!written[i]) ++own;
    }
    CHECK(chain.ballot.mean_log_prob == doctest::Approx(sum / own));
  }
  CHECK(results > 0);
}

TEST_CASE("a callback ends all chains of its question, and no other one") {
  const Model model = byte_model();
  Session session(model, {.sequences = 2});  // Some of the chains wait.
  Reasoner reasoner(session);
  const ReasonOptions options = scripted(model, "答案：*。答案：*。答案：*。", "7");
  std::optional<Reasoned> cancelled, whole;
  std::vector<size_t> ended;
  int heard = 0;
  ReasonCallbacks callbacks;
  callbacks.on_text = [&](size_t, std::string_view) { return ++heard < 9; };
  callbacks.on_chain = [&](size_t chain, const Ballot& ballot, const Completion& completion) {
    ended.push_back(chain);
    CHECK(ballot.is_cut_off == (completion.finish_reason != FinishReason::end_token));
  };
  reasoner.submit(
      bytes(model, "?"), options, [&](Reasoned reasoned) { cancelled = std::move(reasoned); }, callbacks);
  reasoner.submit(bytes(model, "!"), options, [&](Reasoned reasoned) { whole = std::move(reasoned); });
  while (reasoner.step()) {
  }
  REQUIRE(cancelled);
  CHECK(cancelled->is_cancelled);
  CHECK(cancelled->error.empty());
  CHECK(cancelled->chains.size() == 3);
  CHECK(ended.size() == 3);
  CHECK(cancelled->verdict.candidates.empty());
  REQUIRE(whole);
  CHECK_FALSE(whole->is_cancelled);
  CHECK(whole->verdict.agreement == 1);
}

TEST_CASE("a question that is cancelled late has the chains that had ended") {
  const Model model = byte_model();
  Session session(model, {.sequences = 4});
  ReasonCallbacks callbacks;
  bool goes_on = true;
  callbacks.on_text = [&](size_t, std::string_view) { return goes_on; };
  callbacks.on_chain = [&](size_t, const Ballot&, const Completion&) { goes_on = false; };
  ReasonOptions options = scripted(model, "答案：*", "78");
  options.chains = 9;
  const Reasoned reasoned = Reasoner(session, {.max_running = 1}).reason(bytes(model, "?"), options, callbacks);
  CHECK(reasoned.is_cancelled);
  CHECK(reasoned.verdict.candidates.size() == 1);
  CHECK(reasoned.verdict.agreement == doctest::Approx(1.0 / 3));
}

TEST_CASE("a chain that fails ends its question") {
  const Model model = byte_model();
  Session session(model, {.sequences = 4});
  Reasoner reasoner(session);
  ReasonOptions options = scripted(model, "7", "");
  options.answer.constraint = [](std::span<const int32_t> answer) -> NextTokens {
    if (answer.size() == 3) throw Error("no more");
    return {};
  };
  CHECK(error_of([&] { reasoner.reason(bytes(model, "?"), options); }) == "no more");
  CHECK(reasoner.reason(bytes(model, "?"), scripted(model, "7", "")).verdict.agreement == 1);
}

TEST_CASE("a question is the last message of a conversation") {
  const Model model = model_to_ask();
  const Question question = question_of(
      model, {{Role::system, "助手"}, {Role::user, "1+1"}, {Role::assistant, "2"}, {Role::user, "3+4"}}, 200);
  CHECK(question.text == "3+4");
  CHECK(question.begun.empty());
  CHECK(model.tokenizer->decode(question.prompt).find("3+4") != std::string::npos);
}

TEST_CASE("questions and options that are invalid") {
  const Model model = model_to_ask();
  Session session(model);
  Reasoner reasoner(session);
  const auto error = [&](const Question& asked, const ReasonOptions& options) {
    return error_of([&] { reasoner.reason(asked, options); });
  };
  const Question asked = question(model, 1);
  CHECK(error({}, {}) == "request: a prompt is empty");
  CHECK(error(asked, {.chains = 0}) == "poll: 0 chains, expected 1 to 128");
  CHECK(error(asked, {.chains = 1'000'000}) == "poll: 1000000 chains, expected 1 to 128");
  CHECK(error(asked, {.answer = {.max_tokens = 2}}) ==
        "reason: temperature 0 makes all 5 chains the same, expected more than 0, or 1 chain");
  CHECK(reasoner.reason(asked, {.chains = 1, .answer = {.max_tokens = 2}}).chains.size() == 1);
  ReasonOptions both{.calculator = CalculatorUse::force};
  both.answer.constraint = [](std::span<const int32_t>) { return NextTokens(); };
  CHECK(error(asked, both) == "reason: another constraint beside the calculator's, expected none");
  CHECK(error_of([&] { question_of(model, {{Role::user, ""}}, 200); }) == "the question is empty");
  CHECK_FALSE(reasoner.step());
}

}  // namespace tinyllm::test
