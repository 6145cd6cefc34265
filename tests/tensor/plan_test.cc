#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/plan.h>

namespace tinyllm::test {
namespace {

bool live_together(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }
bool overlap(const Block& a, const Block& b) { return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes; }

}  // namespace

TEST_CASE("blocks that are needed at the same time never overlap") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    std::vector<Block> blocks;
    size_t total = 0;
    for (int i = 0; i < 60; ++i) {
      const int first = static_cast<int>(random.below(40));
      blocks.push_back(
          {aligned(static_cast<size_t>(random.below(5000))), first, first + static_cast<int>(random.below(12))});
      total += blocks.back().bytes;
    }
    const size_t size = place(blocks);
    CHECK(size <= total);
    for (size_t i = 0; i < blocks.size(); ++i) {
      CHECK(blocks[i].offset % kAlignment == 0);
      CHECK(blocks[i].offset + blocks[i].bytes <= size);
      for (size_t j = 0; j < i; ++j)
        CHECK_FALSE((live_together(blocks[i], blocks[j]) && overlap(blocks[i], blocks[j])));
    }
  }
}

TEST_CASE("blocks that follow one another share their memory") {
  std::vector<Block> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back({1024, i, i + 1});
  CHECK(place(blocks) == 2048);
}

TEST_CASE("only what the outputs need is scheduled, and results die into those that may lie in their place") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {256});
  const Tensor once = scale(x, 2);      // Must not overwrite an input.
  const Tensor twice = silu(once);      // May lie where `once` was.
  const Tensor last = scale(twice, 3);  // May lie where `twice` was.
  gelu(once);                           // Nobody asks for it.
  const Plan plan = tinyllm::plan(graph, {last}, 1);
  CHECK(plan.schedule.size() == 3);
  CHECK(plan.arena == 1024);
  CHECK(plan.unplanned == 3072);
  CHECK(plan.block[static_cast<size_t>(x.id())] == -1);

  // What is an output, or is needed again, keeps its place.
  CHECK(tinyllm::plan(graph, {once, last}, 1).arena == 2048);
}

TEST_CASE("a view needs no memory and keeps what it looks at alive") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {16, 16});
  const Tensor y = scale(x, 2);
  const Tensor view = reshape(y, {256});
  const Tensor z = gelu(scale(y, 3));
  const Plan plan = tinyllm::plan(graph, {z, scale(view, 5)}, 1);
  CHECK(plan.root[static_cast<size_t>(view.id())] == y.id());
  CHECK(plan.arena == 2048);
}

}  // namespace tinyllm::test
