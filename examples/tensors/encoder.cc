// A BERT-shaped encoder that learns to restore masked numbers of arithmetic progressions of different lengths.
// Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019.
#include <tinyllm/tinyllm.h>

#include <algorithm>
#include <cstdio>
#include <string>

using namespace tinyllm;

constexpr int64_t kNumbers = 50, kMask = kNumbers, kVocabulary = kNumbers + 1;
constexpr int64_t kBatch = 32, kTokens = 12, kWidth = 64, kHeads = 4, kLayers = 2;
constexpr float kEps = 1e-5f;

// The parameters of a model, in the order in which they are made.
struct Parameters {
  Graph& g;
  std::vector<Tensor> all = {};

  Tensor make(const std::string& name, Shape shape) {
    all.push_back(g.parameter(name, f32, shape));
    return all.back();
  }
};

// y = x w^T + b.
Tensor dense(Parameters& p, const std::string& name, Tensor x, int64_t outputs) {
  const Tensor w = p.make(name + ".w", {outputs, x.shape().row()});
  return linear(x, w, p.make(name + ".b", {outputs}));
}

Tensor norm(Parameters& p, const std::string& name, Tensor x) {
  const Tensor w = p.make(name + ".norm", {x.shape().row()});
  return layer_norm(x, 1 + w, p.make(name + ".shift", {x.shape().row()}), kEps);
}

Tensor self_attention(Parameters& p, const std::string& name, Tensor x, Tensor lengths) {
  const auto heads = [&](const char* part) {
    return reshape(dense(p, name + part, x, kWidth), {kBatch, kTokens, kHeads, kWidth / kHeads});
  };
  const Tensor mixed = full_attention(heads(".q"), heads(".k"), heads(".v"), {.lengths = lengths});
  return dense(p, name + ".out", reshape(mixed, {kBatch, kTokens, kWidth}), kWidth);
}

// Logits of each token. Norms come after the residual sums, as in the paper.
Tensor encoder(Parameters& p, Tensor tokens, Tensor lengths) {
  const Tensor table = p.make("table", {kVocabulary, kWidth});
  Tensor x = norm(p, "embedding", embedding(table, tokens) + p.make("positions", {kTokens, kWidth}));
  for (int64_t i = 0; i < kLayers; ++i) {
    const std::string name = "layer" + std::to_string(i);
    x = norm(p, name + ".a", x + self_attention(p, name, x, lengths));
    x = norm(p, name + ".f", x + dense(p, name + ".down", gelu_exact(dense(p, name + ".up", x, 4 * kWidth)), kWidth));
  }
  return linear(x, table);
}

// Progressions of 4 to kTokens numbers, of which one in five is masked. Targets are the masked numbers.
void draw(Random& random, Program& program) {
  const std::span<int32_t> tokens = program.data<int32_t>("tokens"), lengths = program.data<int32_t>("lengths");
  std::vector<int32_t> targets(tokens.size(), kIgnore);
  for (int64_t b = 0; b < kBatch; ++b) {
    const int64_t length = 4 + random.below(kTokens - 3), first = random.below(kNumbers), step = 1 + random.below(9);
    lengths[static_cast<size_t>(b)] = static_cast<int32_t>(length);
    for (int64_t t = 0; t < kTokens; ++t) {
      const auto at = static_cast<size_t>(b * kTokens + t);
      const auto number = static_cast<int32_t>((first + t * step) % kNumbers);
      const bool is_masked = t < length && random.below(5) == 0;
      tokens[at] = is_masked ? static_cast<int32_t>(kMask) : number;
      if (is_masked) targets[at] = number;
    }
  }
  program.write("targets", targets);
}

int main() try {
  Graph g;
  const Tensor tokens = g.input("tokens", i32, {kBatch, kTokens}), targets = g.input("targets", i32, {kBatch, kTokens});
  Parameters p{g};
  const Tensor logits = encoder(p, tokens, g.input("lengths", i32, {kBatch}));
  const Tensor loss = cross_entropy(logits, targets);
  const Tensor counts = not_equal(targets, cast(g.constant(kIgnore, {1}), i32));
  const Tensor right = sum(cast(logical_and(counts, equal(argmax(logits, -1), targets)), f32));
  const Tensor share = right / sum(cast(counts, f32));

  const std::vector<Tensor> grads = gradients(loss, p.all);
  const Tensor step = g.input("step", i32, {1}), rate = g.input("rate", f32, {1}), factor = g.constant(1, {1});
  std::vector<Tensor> results = {loss, share};
  for (size_t i = 0; i < grads.size(); ++i) {
    const Tensor w = p.all[i];
    const Tensor m = g.state(w.name() + ".m", f32, w.shape()), v = g.state(w.name() + ".v", f32, w.shape());
    results.push_back(adamw(w, grads[i], m, v, step, rate, factor, {}));
  }
  Program program = compile(g, results);
  Random random(1);
  for (const Tensor& w : p.all) {
    if (w.shape().rank() == 1) continue;
    for (float& x : program.data<float>(w.name())) x = static_cast<float>(0.1 * random.normal());
  }
  constexpr int32_t kSteps = 1500;
  float total = 0;
  for (int32_t i = 1; i <= kSteps; ++i) {
    draw(random, program);
    program.write("step", std::vector{i});
    program.write("rate", std::vector{2e-3f * std::min(1.0f, static_cast<float>(i) / 100) *
                                      static_cast<float>(kSteps - i) / kSteps});
    program.run();
    total += program.read<float>(share)[0];
    if (i % 250 != 0) continue;
    std::printf("step %d: loss %.3f, restored %.1f %%\n", i, program.read<float>(loss)[0], 100 * total / 250);
    total = 0;
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
