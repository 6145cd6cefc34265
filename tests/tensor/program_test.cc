#include <doctest/doctest.h>

#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tinyllm.h>

#include "allocations.h"

#include <map>

namespace tinyllm::test {
namespace {

// A small step of everything: forward, backward, clipping, update.
struct Step {
  Graph graph;
  Tensor loss, updated;

  Step() {
    const Tensor tokens = graph.input("tokens", i32, {2, 40});
    const Tensor targets = graph.input("targets", i32, {2, 40});
    const Tensor step = graph.input("step", i32, {1});
    const Tensor table = graph.parameter("table", f32, {30, 16});
    const Tensor w = graph.parameter("w", f32, {48, 16});
    const Tensor norm = graph.parameter("norm", f32, {16});
    const Tensor x = rms_norm(embedding(table, tokens), norm, 1e-5f);
    const std::vector<Tensor> qkv = split(linear(x, w), -1, {16, 16, 16});
    std::vector<Tensor> heads;
    for (const Tensor& part : qkv) heads.push_back(reshape(part, {2, 40, 2, 8}));
    const Tensor a = attention(heads[0], heads[1], heads[2], {}, {0.1f, 1, step});
    const Tensor hidden = dropout(silu(add(x, reshape(a, {2, 40, 16}))), {0.1f, 1, step});
    loss = cross_entropy(linear(hidden, table), targets);
    const std::vector<Tensor> grads = gradients(loss, {table});
    const ClippedNorm clipped = clip_by_global_norm(grads, 1.0f);
    updated = adamw(table, grads[0], graph.state("m", f32, table.shape()), graph.state("v", f32, table.shape()), step,
                    graph.input("rate", f32, {1}), clipped.factor, {});
  }
};

void fill(Program& program) {
  Random random(3);
  for (int32_t& token : program.data<int32_t>("tokens")) token = static_cast<int32_t>(random.below(30));
  for (int32_t& target : program.data<int32_t>("targets")) target = static_cast<int32_t>(random.below(30));
  for (const char* name : {"table", "w", "norm"}) {
    for (float& x : program.data<float>(name)) x = static_cast<float>(random.normal()) * 0.3f;
  }
  program.write("step", std::vector<int32_t>{1});
  program.write("rate", std::vector<float>{0.01f});
}

}  // namespace

TEST_CASE("running allocates nothing") {
  Step step;
  Program program = compile(step.graph, {step.loss, step.updated}, {.pool = ThreadPool(3)});
  fill(program);
  program.run();  // The table of kernels is made once.
  const int64_t before = allocations();
  for (int i = 0; i < 5; ++i) program.run();
  CHECK(allocations() == before);
}

TEST_CASE("training steps lower the loss, and the graph may be gone by then") {
  Program program = [] {
    Step step;
    return compile(step.graph, {step.loss, step.updated}, {.pool = ThreadPool(2)});
  }();
  fill(program);
  Step same;
  program.run();
  const float first = program.read<float>(same.loss)[0];
  for (int i = 0; i < 30; ++i) program.run();
  CHECK(program.read<float>(same.loss)[0] < first - 0.5f);
}

TEST_CASE("memory is planned before the run and is less than without a plan") {
  Step step;
  const Program program = compile(step.graph, {step.loss, step.updated}, {.pool = ThreadPool(1)});
  const Memory& memory = program.memory();
  CHECK(memory.parameters == 4 * (30 * 16 + 48 * 16 + 16));
  CHECK(memory.states == 2 * 4 * 30 * 16);
  CHECK(memory.activations < memory.unplanned);
  CHECK(memory.total() == memory.parameters + memory.states + memory.inputs + memory.activations);
  CHECK(fmt::format("{}", memory).find("activations") != std::string::npos);
}

TEST_CASE("programs over one store share their parameters") {
  Store store;
  ThreadPool pool(2);
  Graph a, b;
  const Tensor double_w = scale(a.parameter("w", f32, {3}), 2);
  const Tensor triple_w = scale(b.parameter("w", f32, {3}), 3);
  Program first = compile(a, {double_w}, {.pool = pool, .store = &store});
  Program second = compile(b, {triple_w}, {.pool = pool, .store = &store});
  first.write("w", std::vector<float>{1, 2, 3});
  first.run();
  second.run();
  CHECK(first.read<float>(double_w)[2] == 6);
  CHECK(second.read<float>(triple_w)[2] == 9);

  Graph other;
  const Tensor w = other.parameter("w", f32, {4});
  CHECK_THROWS_WITH_AS(compile(other, {w}, {.pool = pool, .store = &store}), "store: w is f32 [3], expected f32 [4]",
                       Error);
}

TEST_CASE("writing and reading check names, types and lengths") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {3});
  const Tensor y = scale(x, 2);
  Program program = compile(graph, {y}, {.pool = ThreadPool(1)});
  CHECK_THROWS_WITH_AS(program.write("x", std::vector<float>(4)), "write: x has 3 elements, got 4", Error);
  CHECK_THROWS_WITH_AS(program.write("x", std::vector<int32_t>(3)), "program: x is f32, not i32", Error);
  CHECK_THROWS_WITH_AS(program.write("z", std::vector<float>(3)), "program: no input, parameter or state is named z",
                       Error);
  CHECK_THROWS_WITH_AS(program.read<int32_t>(y), "program: scale#0 is f32, not i32", Error);
  CHECK_THROWS_AS(program.read<float>(x), Error);
}

TEST_CASE("what an op finds wrong while running is thrown by run") {
  Graph graph;
  const Tensor y = embedding(graph.parameter("table", f32, {5, 2}), graph.input("tokens", i32, {2}));
  Program program = compile(graph, {y}, {.pool = ThreadPool(2)});
  program.write("tokens", std::vector<int32_t>{1, 5});
  CHECK_THROWS_WITH_AS(program.run(), "embedding: token 5 at position 1, expected 0 to 4", Error);
  program.write("tokens", std::vector<int32_t>{1, 4});
  program.run();
}

TEST_CASE("a profile names every op once, with its nodes") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {64});
  Program program = compile(graph, {silu(scale(scale(x, 2), 3))}, {.pool = ThreadPool(1)});
  const std::vector<OpTime> times = program.profile();
  REQUIRE(times.size() == 2);
  const OpTime& scales = times[0].op == "scale" ? times[0] : times[1];
  CHECK(scales.nodes == 2);
  CHECK(scales.seconds >= 0);
  CHECK(scales.flops == 0);
  CHECK(scales.bytes == 2 * (64 + 64) * 4);
}

TEST_CASE("a profile counts the arithmetic of products and attention, and the bytes that are read and written") {
  constexpr int64_t B = 2, T = 5, H = 4, G = 2, D = 8, M = 2, N = 3;
  Graph graph;
  const Tensor q = graph.input("q", f32, {B, T, H, D});
  const Tensor k = graph.input("k", f32, {B, T, G, D});
  const Tensor v = graph.input("v", f32, {B, T, G, D});
  const Tensor w = graph.parameter("w", f32, {N, H * D});
  const Tensor y = linear(reshape(attention(q, k, v), {B, T, H * D}), w);
  const Tensor cache_k = graph.state("cache_k", f32, {N, G, D, kCachePage});
  const Tensor cache_v = graph.state("cache_v", f32, {N, G, kCachePage, D});
  const Tensor cached = cached_attention(q, k, v,
                                         {cache_k, cache_v, graph.input("sequences", i32, {B, T}),
                                          graph.input("places", i32, {B, T}), graph.input("pages", i32, {1, M})});
  Program program =
      compile(graph, {y, gradients(sum(y), {q})[0], gradients(sum(y), {w})[0], cached}, {.pool = ThreadPool(2)});

  std::map<std::string, OpTime> ops;
  for (const OpTime& op : program.profile()) ops[op.op] = op;
  const double causal = 2.0 * B * H * D * T * (T + 1) / 2;  // One product over the keys that each query sees.
  CHECK(ops.at("attention").flops == 2 * causal);
  CHECK(ops.at("attention_grad").flops == 5 * causal);
  CHECK(ops.at("cached_attention").flops == 2 * 2.0 * B * H * D * T * M * kCachePage);
  CHECK(ops.at("linear").flops == 2.0 * B * T * N * H * D);
  CHECK(ops.at("matmul").flops == ops.at("matmul").nodes * ops.at("linear").flops);  // dX and dW.
  CHECK(ops.at("linear").bytes == 4.0 * (B * T * H * D + N * H * D + B * T * N));
  const double caches = 2.0 * N * kCachePage * G * D;
  CHECK(ops.at("cached_attention").bytes == 4.0 * (2 * B * T * H * D + 2 * B * T * G * D + 2 * caches + 2 * B * T + M));
  CHECK(ops.at("reshape").bytes == 0);

  Graph adding;
  const Tensor total = adding.state("total", f32, {N, D});
  const Tensor added = accumulate(total, adding.input("x", f32, {N, D}), adding.input("factor", f32, {1}));
  CHECK(compile(adding, {added}, {.pool = ThreadPool(1)}).profile()[0].bytes ==
        4.0 * (3 * N * D + 1));  // The total twice.
}

}  // namespace tinyllm::test
