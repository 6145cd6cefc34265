#include <doctest/doctest.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace tinyllm::test {
namespace {

constexpr int64_t kHeads = 6, kGroups = 2, kSize = 20, kTokens = 150;

std::vector<float> random_floats(int64_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& x : values) x = static_cast<float>(random.normal());
  return values;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// All tokens through a cache of this type, `chunk` at a time. `before` is what the cache holds at first, and `poisoned`
// is a token whose key and value are NaN.
std::vector<float> attend(DType type, int64_t heads, int64_t chunk, float before = 0, int64_t poisoned = -1) {
  Graph graph;
  constexpr int64_t kPages = (kTokens + kCachePage - 1) / kCachePage;
  const Tensor out = cached_attention(
      graph.input("q", f32, {1, chunk, heads, kSize}), graph.input("k", f32, {1, chunk, kGroups, kSize}),
      graph.input("v", f32, {1, chunk, kGroups, kSize}),
      {graph.state("cache_k", type, {kPages, kGroups, kSize, kCachePage}),
       graph.state("cache_v", type, {kPages, kGroups, kCachePage, kSize}), graph.input("sequences", i32, {1, chunk}),
       graph.input("positions", i32, {1, chunk}), graph.input("pages", i32, {1, kPages})});
  Program program = compile(graph, {out}, {.pool = ThreadPool(2)});
  program.write("sequences", std::vector<int32_t>(static_cast<size_t>(chunk), 0));
  program.write("pages", std::vector<int32_t>{2, 0, 1});
  for (const char* cache : {"cache_k", "cache_v"}) {
    if (type == f32) {
      std::ranges::fill(program.data<float>(cache), before);
    } else {
      convert(std::vector<float>(program.data<Half>(cache).size(), before), program.data<Half>(cache));
    }
  }
  std::vector<float> all;
  for (int64_t at = 0; at < kTokens; at += chunk) {
    for (const auto& [name, rows_heads] : {std::pair{"q", heads}, {"k", kGroups}, {"v", kGroups}}) {
      std::vector<float> values = random_floats(kTokens * rows_heads * kSize, static_cast<uint64_t>(name[0]));
      const int64_t row = rows_heads * kSize;
      if (poisoned >= 0 && name[0] != 'q') std::fill_n(values.begin() + poisoned * row, row, kNan);
      program.write(name, std::vector<float>(values.begin() + at * row, values.begin() + (at + chunk) * row));
    }
    const auto positions = program.data<int32_t>("positions");
    std::iota(positions.begin(), positions.end(), static_cast<int32_t>(at));
    program.run();
    const auto part = program.read<float>(out);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

TEST_CASE("a token has the same bits, whether it comes alone or in a prompt") {
  for (const DType type : {f32, f16}) {
    for (const int64_t heads : {kGroups, kHeads}) {
      const std::vector<float> alone = attend(type, heads, 1);
      for (const int64_t chunk : {2, 30, 75, 150}) CHECK(attend(type, heads, chunk) == alone);
    }
  }
}

TEST_CASE("a token does not depend on what the cache holds after it") {
  for (const auto& [type, chunk] : {std::pair{f32, 1}, {f32, 75}, {f32, 150}, {f16, 1}, {f16, 75}, {f16, 150}}) {
    CAPTURE(name_of(type));
    CAPTURE(chunk);
    const std::vector<float> clean = attend(type, kHeads, 1);
    CHECK(attend(type, kHeads, chunk, kNan) == clean);
    for (const int64_t poisoned : {40, 63, 64, 149}) {
      CAPTURE(poisoned);
      const std::vector<float> found = attend(type, kHeads, chunk, 0, poisoned);
      const auto seen = static_cast<std::ptrdiff_t>(poisoned * kHeads * kSize);
      CHECK(std::equal(clean.begin(), clean.begin() + seen, found.begin()));
      CHECK(std::all_of(found.begin() + seen, found.end(), [](float x) { return std::isnan(x); }));
    }
  }
}

}  // namespace tinyllm::test
