// A recurrent network that learns to continue a text, character by character: gru <text file>.
// Source of the cell: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
#include <tinyllm/tinyllm.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

using namespace tinyllm;

constexpr int64_t kBytes = 256, kHidden = 128, kBatch = 16, kSteps = 32;

struct Gru {
  Tensor table, w, u, bias, head;  // u of the candidate sees the reset state, so it is apart from those of the gates.
  Tensor candidate;

  explicit Gru(Graph& g)
      : table(g.parameter("table", f32, {kBytes, kHidden})),
        w(g.parameter("w", f32, {3 * kHidden, kHidden})),
        u(g.parameter("u", f32, {2 * kHidden, kHidden})),
        bias(g.parameter("bias", f32, {3 * kHidden})),
        head(g.parameter("head", f32, {kBytes, kHidden})),
        candidate(g.parameter("candidate", f32, {kHidden, kHidden})) {}
  std::vector<Tensor> parameters() const { return {table, w, u, bias, head, candidate}; }

  // The state after a byte: z h + (1 - z) tanh(...), with the gates z (keep) and r (reset).
  Tensor step(Tensor byte, Tensor h) const {
    const std::vector<Tensor> x = split(linear(embedding(table, byte), w, bias), -1, {kHidden, kHidden, kHidden});
    const std::vector<Tensor> past = split(linear(h, u), -1, {kHidden, kHidden});
    const Tensor z = sigmoid(x[0] + past[0]), r = sigmoid(x[1] + past[1]);
    return z * h + (1 - z) * tanh(x[2] + linear(r * h, candidate));
  }
};

int main(int argc, char** argv) try {
  std::ifstream file(argc == 2 ? argv[1] : "", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() < 2 * kSteps) throw Error("usage: gru <text file of at least {} bytes>", 2 * kSteps);

  Graph g;
  const Gru gru(g);
  const Tensor bytes = g.input("bytes", i32, {kSteps + 1, kBatch});
  Tensor h = zeros(g, {kBatch, kHidden});
  std::vector<Tensor> states;
  for (int64_t t = 0; t < kSteps; ++t) {
    h = gru.step(reshape(slice(bytes, 0, t, t + 1), {kBatch}), h);
    states.push_back(h);
  }
  const Tensor loss = linear_cross_entropy(stack(states, 0), gru.head, slice(bytes, 0, 1, kSteps + 1));
  const std::vector<Tensor> grads = gradients(loss, gru.parameters());
  const Tensor step = g.input("step", i32, {1}), rate = g.constant(5e-3f, {1});
  const Tensor factor = clip_by_global_norm(grads, 1).factor;
  std::vector<Tensor> results = {loss};
  for (size_t i = 0; i < grads.size(); ++i) {
    const Tensor p = gru.parameters()[i];
    const Tensor m = g.state(p.name() + ".m", f32, p.shape()), v = g.state(p.name() + ".v", f32, p.shape());
    results.push_back(adamw(p, grads[i], m, v, step, rate, factor, {}));
  }
  Store weights;
  Program trainer = compile(g, results, {.store = &weights});
  Random random(1);
  for (const Tensor& p : gru.parameters()) {
    for (float& x : trainer.data<float>(p.name())) x = static_cast<float>(0.08 * random.normal());
  }
  for (int32_t i = 1; i <= 300; ++i) {
    const std::span<int32_t> batch = trainer.data<int32_t>("bytes");
    for (int64_t b = 0; b < kBatch; ++b) {
      const int64_t first = random.below(static_cast<int64_t>(text.size()) - kSteps);
      for (int64_t t = 0; t <= kSteps; ++t) {
        batch[static_cast<size_t>(t * kBatch + b)] = static_cast<unsigned char>(text[static_cast<size_t>(first + t)]);
      }
    }
    trainer.write("step", std::vector{i});
    trainer.run();
    if (i % 100 == 0) std::printf("step %d: loss %.3f\n", i, trainer.read<float>(loss)[0]);
  }

  // One step at a time, the most likely byte each time.
  Graph one;
  const Gru same(one);
  const Tensor next_state = same.step(one.input("byte", i32, {1}), one.input("state", f32, {1, kHidden}));
  const Tensor next_byte = argmax(linear(next_state, same.head), -1);
  Program writer = compile(one, {next_state, next_byte}, {.weights = &weights});
  std::string written = text.substr(0, 1);
  for (int i = 0; i < 60; ++i) {
    writer.write("byte", std::vector<int32_t>{static_cast<unsigned char>(written.back())});
    writer.run();
    writer.write("state", writer.read<float>(next_state));
    written += static_cast<char>(writer.read<int32_t>(next_byte)[0]);
  }
  std::printf("%s\n", written.c_str());
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
