#include <doctest/doctest.h>

#include <tinyllm/tensor/op.h>
#include <tinyllm/testing.h>
#include <tinyllm/tinyllm.h>

#include "error_of.h"

namespace tinyllm::test {
namespace {

void run_twice(const Launch& launch) {
  for (int64_t i = 0; i < launch.outputs[0].size(); ++i) launch.outputs[0].f32()[i] = 2 * launch.inputs[0].f32()[i];
}

// An op that doubles its argument, with this gradient.
Tensor twice(const Op& op, Tensor x) { return x.graph().append(op, {x}, {{f32, x.shape()}})[0]; }

const Op kRight{"right", run_twice, [](const Backward& node) { return std::vector{scale(node.output_grads[0], 2)}; }};
const Op kWrong{"wrong", run_twice, [](const Backward& node) { return std::vector{scale(node.output_grads[0], 3)}; }};
const Op kTooMany{"too_many", run_twice, [](const Backward& node) {
                    return std::vector{node.output_grads[0], node.output_grads[0]};
                  }};
const Op kOtherShape{"other_shape", run_twice, [](const Backward& node) { return std::vector{sum(node.inputs[0])}; }};
const Op kThreads{"threads", [](const Launch& launch) {
                    run_twice(launch);
                    launch.outputs[0].f32()[1] += static_cast<float>(launch.pool->threads() > 2 ? 1 : 0);
                  }};

TestComputation applied(const Op& op) {
  return [&op](const std::vector<Tensor>& a) { return twice(op, a[0]); };
}

}  // namespace

TEST_CASE("check_gradients accepts a right gradient and names the element of a wrong one") {
  check_gradients(applied(kRight), {{.shape = {3, 2}}});
  const auto product = [](const std::vector<Tensor>& a) { return matmul(a[0], silu(a[1])); };
  check_gradients(product, {{.shape = {3, 4}}, {.shape = {4, 2}}});
  check_gradients([](const std::vector<Tensor>& a) { return embedding(a[0], a[1]); },
                  {{.shape = {5, 3}}, {.shape = {4}, .type = i32, .low = 0, .high = 5}});

  const std::string said = error_of([] { check_gradients(applied(kWrong), {{.shape = {3, 2}}}); });
  CHECK(said.starts_with(
      "check_gradients: the gradient of wrong#0 [3,2] with respect to argument 0 [3,2]: element 0 is "));
  CHECK(said.ends_with("(central difference)"));
}

TEST_CASE("check_gradients refuses what it cannot compare") {
  const auto whole = [](const std::vector<Tensor>& a) { return cast(a[0], f32); };
  const char* nothing = "check_gradients: no argument has elements of f32, expected at least one to compare";
  CHECK(error_of([&] { check_gradients(whole, {{.shape = {3}, .type = i32}}); }) == nothing);
  CHECK(error_of([&] { check_gradients(applied(kRight), {{.shape = {0}}}); }) == nothing);
  const auto infinite = [](const std::vector<Tensor>& a) { return reciprocal(a[0] - a[0]) + a[0]; };
  CHECK(error_of([&] { check_gradients(infinite, {{.shape = {1}}}); }).find("(central difference)") !=
        std::string::npos);
  const auto steep = [](const std::vector<Tensor>& a) { return exp(a[0] * 1e5); };
  CHECK(error_of([&] {
          check_gradients(steep, {{.shape = {1}, .low = 0.01f, .high = 0.02f}});
        }).find("(central difference)") != std::string::npos);
}

TEST_CASE("check_threads accepts ops whose bits do not depend on threads, and names the element of one that does") {
  check_threads(applied(kRight), {{.shape = {3, 2}}});
  CHECK_THROWS_AS(check_threads(applied(kThreads), {{.shape = {3, 2}}}), Error);
  const Op bad{.name = "bad", .run = kThreads.run, .gradient = [](const Backward& node) {
                 return std::vector{scale(node.output_grads[0], 2)};
               }};
  const std::string said = error_of([&] { check_threads(applied(bad), {{.shape = {3, 2}}}); });
  CHECK(said.starts_with("check_threads: element 1 of bad#0 [3,2] is "));
  CHECK(said.find("on 3 threads, expected ") != std::string::npos);
}

TEST_CASE("checks refuse arguments and results that they cannot check") {
  CHECK(error_of([] { check_gradients(applied(kRight), {{.shape = {2}, .type = bf16}}); }) ==
        "testing: argument 0 is bf16, expected f32 or i32");
  CHECK(error_of([] { check_gradients([](const auto&) { return Tensor(); }, {{.shape = {2}}}); }) ==
        "testing: the computation returned an empty tensor, expected an f32 tensor of the graph of its arguments");
  Graph other;
  const Tensor stranger = other.input("stranger", f32, {2});
  CHECK(error_of([&] { check_gradients([&](const auto&) { return stranger; }, {{.shape = {2}}}); }) ==
        "testing: the computation returned stranger [2], expected an f32 tensor of the graph of its arguments");
}

TEST_CASE("an op from outside whose row or gradient is wrong is refused by name") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {4});
  CHECK(error_of([&] { gradients(sum(twice(kTooMany, x)), {x}); }) ==
        "gradients: the gradient of too_many has 2 tensors, expected one for each of 1 inputs");
  CHECK(error_of([&] {
          gradients(sum(twice(kOtherShape, x)), {x});
        }).starts_with("gradients: the gradient of other_shape for x [4] is f32 sum#"));
  CHECK(error_of([&] { twice({.name = "idle", .run = nullptr}, x); }) == "idle: the op has no run");
  CHECK(error_of([&] { twice({.name = nullptr, .run = run_twice}, x); }) == "graph: an op has no name");
  CHECK(error_of([&] { graph.append(kRight, {x}, {}); }) == "right: the op has no output");
  const Op alias{.name = "alias", .run = run_twice, .alias = true};
  CHECK(error_of([&] {
          graph.append(alias, {x}, {{f32, {5}}});
        }) == "alias: an alias of x [4] has 20 bytes, expected the same number");
  CHECK(error_of([&] { graph.append(alias, {}, {{f32, {5}}}); }) == "alias: an alias has no input");
}

}  // namespace tinyllm::test
