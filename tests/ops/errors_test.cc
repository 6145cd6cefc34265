#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/program.h>

#include <functional>

namespace tinyllm::test {

TEST_CASE("shapes and types that do not fit are named while building") {
  Graph g;
  const Tensor x = g.input("x", f32, {8, 256, 512});
  const Tensor w = g.parameter("w", f32, {2048, 1024});
  const Tensor q = g.parameter("q", q8_0, {64, 96});
  const Tensor halves = g.parameter("halves", f16, {64, 512});
  const Tensor v = g.parameter("v", f32, {512});
  const Tensor ids = g.input("ids", i32, {8, 256});
  const Tensor heads = g.input("heads", f32, {2, 5, 4, 6});
  const Tensor few = g.input("few", f32, {2, 5, 3, 6});
  const Tensor odd = g.input("odd", f32, {2, 5, 4, 7});
  const Tensor one = g.input("one", f32, {1});

  struct Case {
    std::function<void()> build;
    const char* message;
  };
  const Case cases[] = {
      {[&] { linear(x, w); }, "linear: x x [8,256,512] and w w [2048,1024]: inner sizes differ (512 vs 1024)"},
      {[&] { linear(x, v); }, "linear: x x [8,256,512] and w v [512]: expected x [..., K] and w [N, K]"},
      {[&] { linear(ids, w); }, "linear: ids [8,256] is i32, expected f32"},
      {[&] { linear(x, q); }, "linear: x x [8,256,512] and w q [64,96]: inner sizes differ (512 vs 96)"},
      {[&] { linear(x, halves); }, "linear: halves [64,512] is f16, expected f32 or a packed matrix (ops/quantized.h)"},
      {[&] {
         g.parameter("broken", q4_0, {64, 500});
       },
       "q4_0 [64,500]: expected [N, K], K a multiple of 32"},
      {[&] { matmul(q, w); }, "matmul: q [64,96] is packed q8_0, expected f32"},
      {[&] {
         reshape(q, {96, 64});
       },
       "reshape: q [64,96] is packed q8_0, expected elements"},
      {[&] { slice(q, 0, 0, 1); }, "slice: q [64,96] is packed q8_0, expected elements"},
      {[&] {
         permute(halves, {1, 0});
       },
       "permute: halves [64,512] is f16, expected f32 or i32"},
      {[&] { linear({}, w); }, "linear: an input is empty"},
      {[&] { matmul(w, w); }, "matmul: a w [2048,1024] and b w [2048,1024]: inner sizes differ (1024 vs 2048)"},
      {[&] { add(x, w); },
       "add: x [8,256,512] and w [2048,1024] do not broadcast: extents 256 and 2048 on axis -2, expected equal ones or "
       "1"},
      {[&] { add(x, ids); }, "add: ids [8,256] is i32, expected f32"},
      {[&] { x + Tensor{}; }, "add: an input is empty"},
      {[&] { Tensor{} / 2; }, "div: an input is empty"},
      {[&] { 2 - ids; }, "sub: ids [8,256] is i32, expected f32"},
      {[&] { exp(ids); }, "exp: ids [8,256] is i32, expected f32"},
      {[&] { greater(v, ids); }, "greater: ids [8,256] is i32 and v [512] is f32, expected both f32 or both i32"},
      {[&] { equal(halves, halves); },
       "equal: halves [64,512] is f16 and halves [64,512] is f16, expected both f32 or both i32"},
      {[&] { logical_and(v, v); }, "logical_and: v [512] is f32, expected i32"},
      {[&] { where(v, v, v); }, "where: v [512] is f32, expected i32"},
      {[&] { where(ids, odd, v); },
       "where: ids [8,256] and odd [2,5,4,7] do not broadcast: extents 8 and 4 on axis -2, expected equal ones or 1"},
      {[&] { cast(ids, f16); }, "cast: ids [8,256] is i32, to f16: expected one of them to be f32"},
      {[&] { cast(q, f32); }, "cast: q [64,96] is packed q8_0, expected elements"},
      {[&] { max(v, {1}); }, "shape [512]: no axis 1"},
      {[&] {
         sum(x, {0, 1, -3});
       },
       "sum: x [8,256,512]: axis -3 is named twice"},
      {[&] {
         min(g.input("none", f32, {3, 0}));
       },
       "min: none [3,0]: axis 1 has no elements, expected at least one"},
      {[&] { any(v); }, "any: v [512] is f32, expected i32"},
      {[&] { var(v, {0}, false, 512); }, "var: v [512]: 512 elements and correction 512, expected more elements"},
      {[&] { clamp(v, 2, 1); }, "clamp: from 2 to 1, expected low <= high"},
      {[&] {
         add(g.input("long", f32, {int64_t{1} << 40, 1}), g.input("wide", f32, {int64_t{1} << 40}));
       },
       "shape [1099511627776,1099511627776]: too many elements, expected at most 2^56"},
      {[&] { swiglu(odd); }, "swiglu: x odd [2,5,4,7]: expected [..., 2 F]"},
      {[&] { rms_norm(x, w, 1e-5f); }, "rms_norm: x x [8,256,512] and w w [2048,1024]: expected x [..., C] and w [C]"},
      {[&] { rope_frequencies(7, 1e4); }, "rope_frequencies: head size 7, expected an even one"},
      {[&] { rope_angles(ids, {}); }, "rope_angles: no frequencies, expected one for each pair of elements of a head"},
      {[&] { attention(heads, few, few); },
       "attention: q heads [2,5,4,6] and k few [2,5,3,6]: 4 query heads do not share 3 key heads evenly"},
      {[&] { attention(heads, odd, odd); },
       "attention: q heads [2,5,4,6], k odd [2,5,4,7], v odd [2,5,4,7]: expected q [B, T, H, D], k and v [B, T, G, D]"},
      {[&] { attention(heads, heads, heads, ids); }, "attention: ids [8,256]: expected [2,5]"},
      {[&] { embedding(x, ids); }, "embedding: table x [8,256,512]: expected [V, C]"},
      {[&] { cross_entropy(w, ids); },
       "cross_entropy: logits w [2048,1024] and targets ids [8,256]: expected [..., V] and [...]"},
      {[&] { linear_cross_entropy(x, w, ids); },
       "linear_cross_entropy: x x [8,256,512], w w [2048,1024] and targets ids [8,256]: expected x [..., C], w [V, C] "
       "and targets [...]"},
      {[&] { token_log_probs(x, w, x); }, "token_log_probs: x [8,256,512] is f32, expected i32"},
      {[&] {
         dropout(x, {1.5f, 0, g.input("step", i32, {1})});
       },
       "dropout: dropout 1.5, expected 0 <= p < 1"},
      {[&] {
         reshape(v, {5, -1});
       },
       "reshape: x v [512] to [5,-1]: the extent -1 cannot be computed"},
      {[&] { reshape(v, {5}); }, "reshape: x v [512] to [5]: 512 elements do not become 5"},
      {[&] {
         permute(x, {0, 0, 1});
       },
       "permute: x x [8,256,512] by (0,0,1): expected every axis once"},
      {[&] { slice(v, 0, 500, 513); }, "slice: x v [512]: [500, 513) is not within axis 0 of 512"},
      {[&] { slice(v, 1, 0, 1); }, "shape [512]: no axis 1"},
      {[&] {
         concat({x, w}, 0);
       },
       "concat: x [8,256,512] f32 and w [2048,1024] f32 do not join along axis 0"},
      {[&] {
         split(v, 0, {500, 13});
       },
       "split: x v [512] along axis 0: parts (500,13) add up to 513, expected 512"},
      {[&] { clip_by_global_norm({v}, 0); }, "clip_by_global_norm: max_norm 0, expected more than 0"},
      {[&] { gradients(v, {w}); }, "gradients: loss v [512]: expected one f32 element"},
      {[&] { gradients({}, {w}); }, "gradients: loss (empty): expected one f32 element"},
      {[&] { gradients(one, {Tensor{}}); },
       "gradients: with respect to (empty): expected a tensor of the graph of one [1]"},
      {[&] { g.parameter("v", f32, {3}); }, "graph: the name v is taken"},
      {[&] { g.find("nobody"); }, "graph: no parameter, state or input is named nobody"},
      {[&] {
         Shape({1, -1});
       },
       "shape [1,-1]: extent -1, expected 0 or more"},
      {[&] {
         Shape({1, 1, 1, 1, 1, 1, 1});
       },
       "shape: rank 7, expected at most 6"},
  };
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(c.build(), c.message, Error);
}

TEST_CASE("tensors of two graphs do not mix") {
  Graph a, b;
  const Tensor x = a.input("x", f32, {3});
  const Tensor y = b.input("y", f32, {3});
  CHECK_THROWS_WITH_AS(add(x, y), "add: y [3] belongs to another graph", Error);
}

TEST_CASE("attention over a cache refuses places outside a sequence and pages outside the cache when it runs") {
  Graph g;
  const Tensor q = g.input("q", f32, {1, 2, 1, 4});
  const Tensor out = cached_attention(
      q, q, q,
      {g.state("k", f32, {3, 1, 4, kCachePage}), g.state("v", f32, {3, 1, kCachePage, 4}),
       g.input("sequences", i32, {1, 2}), g.input("positions", i32, {1, 2}), g.input("pages", i32, {1, 2})});
  Program program = compile(g, {out}, {.pool = ThreadPool(2)});
  struct Case {
    std::vector<int32_t> sequences, positions, pages;
    const char* message;
  };
  static const Case cases[] = {
      {{0, 1},
       {0, 0},
       {0, 1},
       "cached_attention: row 1 is at position 0 of sequence 1, expected 1 sequences of 128 positions"},
      {{0, 0},
       {0, 128},
       {0, 1},
       "cached_attention: row 1 is at position 128 of sequence 0, expected 1 sequences of 128 positions"},
      {{0, 0},
       {-1, 0},
       {0, 1},
       "cached_attention: row 0 is at position -1 of sequence 0, expected 1 sequences of 128 positions"},
      {{0, 0}, {0, 64}, {0, 3}, "cached_attention: page 1 of sequence 0 is 3, expected 0 to 2"},
  };
  for (const Case& c : cases) {
    program.write("sequences", c.sequences);
    program.write("positions", c.positions);
    program.write("pages", c.pages);
    CHECK_THROWS_WITH_AS(program.run(), c.message, Error);
  }
  CHECK_THROWS_WITH_AS(cached_attention(q, q, q,
                                        {g.input("narrow", f32, {3, 1, 4, 32}), g.find("v"), g.find("sequences"),
                                         g.find("positions"), g.find("pages")}),
                       "cached_attention: narrow [3,1,4,32]: expected [3,1,4,64]", Error);
}

TEST_CASE("a gradient through an op that has none is an error, and one that nothing depends on is zero") {
  Graph g;
  const Tensor x = g.parameter("x", f32, {3});
  const Tensor unused = g.parameter("unused", f32, {2});
  const ClippedNorm clipped = clip_by_global_norm({x}, 1.0f);
  CHECK_THROWS_WITH_AS(gradients(clipped.norm, {x}), "gradients: clip_by_global_norm#0 [1] has no gradient", Error);
  CHECK(gradients(sum(x), {unused})[0].shape() == Shape{2});
  CHECK_THROWS_WITH_AS(gradients(sum(x), {x}, {.checkpoints = {x}}),
                       "gradients: checkpoint x [3]: expected a result of the graph", Error);
}

}  // namespace tinyllm::test
