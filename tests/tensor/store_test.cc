#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/plan.h>
#include <tinyllm/tensor/program.h>

#include "error_of.h"

namespace tinyllm::test {
namespace {

constexpr int64_t kHuge = int64_t{1} << 32;
// 2^58 bytes of f32: no machine has them, and 64 of them are more than size_t holds.
constexpr int64_t kMost = Shape::kMaxElements;

bool is_overflow(const std::string& error) { return error.find("too large for a size") != std::string::npos; }

}  // namespace

TEST_CASE("a shape of more elements than can be counted in bytes is refused when it is made") {
  const char* message = "shape [4294967296,4294967296]: too many elements, expected at most 2^56";
  CHECK(error_of([] { static_cast<void>(Shape{kHuge, kHuge}); }) == message);
  CHECK(error_of([] {
          Graph graph;
          graph.parameter("w", f32, {kHuge, kHuge});
        }) == message);
  CHECK_THROWS_AS((Shape{kHuge, 0, kHuge}), Error);
  CHECK_THROWS_AS((Shape{-1}), Error);
  CHECK_THROWS_AS((Shape{kHuge, 2}.with(1, kHuge)), Error);
  CHECK(Shape{kMost, 0}.size() == 0);
  CHECK(bytes_of(f32, {kMost}) == size_t{1} << 58);
  CHECK(bytes_of(q8_0, {kMost / 32, 32}) == (size_t{1} << 51) * 34);
}

TEST_CASE("shapes that ops compute are refused as well") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {kMost / 2});
  CHECK_THROWS_AS(concat({x, x, x}, 0), Error);
  CHECK_THROWS_AS(reshape(x, {kHuge, kHuge, -1}), Error);
  CHECK_THROWS_AS(split(x, 0, {INT64_MAX, INT64_MAX, kMost / 2 + 2}), Error);
}

TEST_CASE("sums of sizes that wrap around are refused before memory is reserved") {
  std::vector<Store::Wanted> wanted;
  for (int i = 0; i < 64; ++i) wanted.push_back({fmt::format("w{}", i), f32, {kMost}});
  Store store;
  CHECK(is_overflow(error_of([&] { store.add(wanted); })));
  CHECK(store.entries().empty());
  std::vector<Block> blocks(64, {size_t{1} << 58, 0, 1, 0});
  CHECK(is_overflow(error_of([&] { place(blocks); })));
  CHECK(is_overflow(error_of([] { static_cast<void>(aligned(SIZE_MAX - 1)); })));
  Graph graph;
  for (int i = 0; i < 64; ++i) graph.input(fmt::format("x{}", i), f32, {kMost});
  CHECK(is_overflow(error_of([&] { compile(graph, {}, {.pool = ThreadPool(1)}); })));
}

TEST_CASE("more memory than the system has is an error") {
  Store store;
  const std::vector<Store::Wanted> wanted = {{"w", f32, {kMost}}};
  CHECK(error_of([&] { store.add(wanted); }).find("the system cannot give") != std::string::npos);
  CHECK(store.find("w") == nullptr);
}

TEST_CASE("a store is changed when something is missing, and only then") {
  Store store;
  const std::vector<Store::Wanted> wanted = {{"a", f32, {3}}, {"b", i32, {2}}};
  store.add(wanted);
  const Store::Entry* a = store.find("a");
  store.add(wanted);
  CHECK(store.find("a") == a);
  CHECK(store.entries().size() == 2);
  const std::vector<Store::Wanted> other = {{"a", f32, {4}}};
  CHECK(error_of([&] { store.add(other); }) == "store: a is f32 [3], expected f32 [4]");
  const std::vector<Store::Wanted> twice = {{"c", f32, {1}}, {"c", f32, {1000}}};
  CHECK_THROWS_AS(store.add(twice), Error);
}

TEST_CASE("a program over weights that are only read needs all of them, in their shapes") {
  Graph graph;
  const Tensor y = scale(graph.parameter("w", f32, {3}), 2.0f);
  Store store;
  CHECK(error_of([&] { compile(graph, {y}, {.pool = ThreadPool(1), .weights = &store}); }) ==
        "store: holds nothing named w");
  CHECK(store.entries().empty());
  store.add(std::vector<Store::Wanted>{{"w", f32, {3}}});
  store.at("w").as<float>()[1] = 5;
  Program program = compile(graph, {y}, {.pool = ThreadPool(1), .weights = &store});
  program.run();
  CHECK(program.read<float>(y)[1] == 10);
  const char* refused = "program: w is one of the `weights`, which are only read; read it in their store";
  CHECK(error_of([&] { program.write("w", std::vector<float>(3)); }) == refused);
  CHECK(error_of([&] { program.data<float>("w"); }) == refused);

  Graph wider;
  const Tensor z = scale(wider.parameter("w", f32, {4}), 2.0f);
  CHECK(error_of([&] { compile(wider, {z}, {.pool = ThreadPool(1), .weights = &store}); }) ==
        "store: w is f32 [3], expected f32 [4]");
}

TEST_CASE("no op may change weights that are only read, not even through a view of them") {
  Store store;
  store.add(std::vector<Store::Wanted>{{"w", f32, {2, 3}}});
  Graph graph;
  const Tensor w = graph.parameter("w", f32, {2, 3});
  const Tensor rate = graph.input("rate", f32, {1}), factor = graph.input("factor", f32, {1});
  const Tensor flat = reshape(w, {6});
  const Tensor stepped = sgd(flat, graph.input("grad", f32, {6}), graph.state("m", f32, {6}), rate, factor, {});
  Store states;
  CHECK(error_of([&] { compile(graph, {stepped}, {.pool = ThreadPool(1), .weights = &store, .states = &states}); }) ==
        "compile: sgd#1 changes the parameter w, but `weights` are only read; pass them as `store`");
  CHECK(states.entries().empty());
  // A view alone changes nothing, and neither does an update of something else.
  compile(graph, {flat}, {.pool = ThreadPool(1), .weights = &store});
  const Tensor sum = accumulate(graph.state("sum", f32, {6}), flat, factor);
  compile(graph, {sum}, {.pool = ThreadPool(1), .weights = &store});
  compile(graph, {stepped}, {.pool = ThreadPool(1), .store = &store});
}

}  // namespace tinyllm::test
