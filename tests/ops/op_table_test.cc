#include "ops/op_table.h"
#include "allocations.h"
#include "close.h"

#include <doctest/doctest.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace tinyllm::test {
namespace {

constexpr uint64_t kSeed = 5;

// A packed matrix as programs hold it.
std::vector<std::byte> packed(Type type, const Array& array) {
  ThreadPool pool(1);
  const std::vector<float> values(array.values.begin(), array.values.end());
  const QuantizedMatrix matrix = quantize(type, array.shape, values.data(), pool);
  std::vector<std::byte> bytes(bytes_of(type, array.shape));
  pack_quantized(type, array.shape, matrix.quants.data(), std::as_bytes(std::span(matrix.scales)).data(), bytes.data(),
                 pool);
  return bytes;
}

Array dequantized(Type type, const Shape& shape, const std::vector<std::byte>& bytes) {
  Array array(shape);
  std::vector<float> row(static_cast<size_t>(shape[1]));
  for (int64_t i = 0; i < shape[0]; ++i) {
    dequantize_row(type, shape, bytes.data(), i, row.data());
    std::copy(row.begin(), row.end(), array.values.begin() + i * shape[1]);
  }
  return array;
}

std::vector<Half> halves(const Array& array) {
  const std::vector<float> values(array.values.begin(), array.values.end());
  std::vector<Half> rounded(values.size());
  convert(values, std::span(rounded));
  return rounded;
}

Array random_array(const Argument& argument, uint64_t seed, size_t i) {
  Random random(seed, i);
  Array array(argument.shape);
  for (double& x : array.values) {
    x = argument.low + (argument.high - argument.low) * random.uniform();
    // What the program is given, the reference is given: a float, or a whole number.
    x = argument.type == i32 ? std::floor(x) : static_cast<double>(static_cast<float>(x));
  }
  return array;
}

std::vector<Array> random_arrays(const std::vector<Argument>& arguments, uint64_t seed) {
  std::vector<Array> arrays;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Argument& argument = arguments[i];
    Array array = random_array(argument, seed, i);
    if (argument.type.is_packed()) {
      array = dequantized(argument.type, argument.shape, packed(argument.type, array));
    } else if (argument.type == f16) {
      std::vector<float> rounded(array.values.size());
      convert(std::span<const Half>(halves(array)), rounded);
      array.values.assign(rounded.begin(), rounded.end());
    }
    arrays.push_back(std::move(array));
  }
  return arrays;
}

// The graph of a case: its results, then the gradients of sum(result * weight) over all f32 results.
struct Built {
  Graph graph;
  std::vector<Tensor> inputs;
  std::vector<Tensor> results;
  std::vector<Tensor> grads;
  std::vector<size_t> grad_inputs;  // Which argument each gradient belongs to.
};

void build(const OpCase& test, Built& built) {
  Graph& graph = built.graph;
  for (size_t i = 0; i < test.arguments.size(); ++i) {
    const Argument& argument = test.arguments[i];
    const std::string name = fmt::format("x{}", i);
    if (argument.kind == Kind::parameter) built.inputs.push_back(graph.parameter(name, argument.type, argument.shape));
    if (argument.kind == Kind::state) built.inputs.push_back(graph.state(name, argument.type, argument.shape));
    if (argument.kind == Kind::input) built.inputs.push_back(graph.input(name, argument.type, argument.shape));
  }
  built.results = test.build(built.inputs);

  std::vector<Tensor> wanted;
  for (size_t i = 0; i < test.arguments.size(); ++i) {
    if (test.arguments[i].type != f32 || !test.arguments[i].gradient) continue;
    wanted.push_back(built.inputs[i]);
    built.grad_inputs.push_back(i);
  }
  Tensor loss;
  for (size_t i = 0; i < built.results.size(); ++i) {
    const Tensor& result = built.results[i];
    const Tensor term = sum(mul(result, graph.input(fmt::format("weight{}", i), f32, result.shape())));
    loss = loss ? add(loss, term) : term;
  }
  if (!wanted.empty()) built.grads = gradients(loss, wanted);
}

std::vector<Array> weights_of(const Built& built) {
  std::vector<Argument> arguments;
  for (const Tensor& result : built.results) arguments.push_back({f32, result.shape()});
  return random_arrays(arguments, 17);
}

// Runs a case and returns its results and then its gradients. Even the first run of a program must not allocate.
std::vector<std::vector<float>> run(const OpCase& test, const Built& built, int threads) {
  std::vector<Tensor> outputs = built.results;
  outputs.insert(outputs.end(), built.grads.begin(), built.grads.end());
  Store store;
  Program program = compile(built.graph, outputs, {.pool = ThreadPool(threads), .store = &store});
  const std::vector<Array> arrays = random_arrays(test.arguments, kSeed);
  for (size_t i = 0; i < arrays.size(); ++i) {
    const std::string name = fmt::format("x{}", i);
    if (test.arguments[i].type.is_packed()) {
      std::ranges::copy(packed(test.arguments[i].type, random_array(test.arguments[i], kSeed, i)), store.at(name).data);
    } else if (test.arguments[i].type == f16) {
      program.write(name, halves(arrays[i]));
    } else if (test.arguments[i].type == f32) {
      program.write(name, std::vector<float>(arrays[i].values.begin(), arrays[i].values.end()));
    } else {
      program.write(name, std::vector<int32_t>(arrays[i].values.begin(), arrays[i].values.end()));
    }
  }
  const std::vector<Array> weights = weights_of(built);
  for (size_t i = 0; i < weights.size() && !built.grads.empty(); ++i) {
    program.write(fmt::format("weight{}", i), std::vector<float>(weights[i].values.begin(), weights[i].values.end()));
  }
  const int64_t before = allocations();
  program.run();
  CHECK(allocations() == before);
  std::vector<std::vector<float>> read;
  for (const Tensor& output : outputs) {
    const auto values = program.read<float>(output);
    read.emplace_back(values.begin(), values.end());
  }
  return read;
}

// Inputs are of order 1: where everything cancels, what is left is rounding of that order.
constexpr double kScale = 1e-2;

double weighted_sum(const std::vector<Array>& results, const std::vector<Array>& weights) {
  double total = 0;
  for (size_t r = 0; r < results.size(); ++r) {
    for (int64_t i = 0; i < results[r].shape.size(); ++i) total += results[r][i] * weights[r][i];
  }
  return total;
}

std::vector<double> central_differences(const OpCase& test, std::vector<Array> arrays, size_t argument,
                                        const std::vector<Array>& weights) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient;
  for (double& x : arrays[argument].values) {
    const double at = x;
    x = at + kStep;
    const double above = weighted_sum(test.reference(arrays), weights);
    x = at - kStep;
    const double below = weighted_sum(test.reference(arrays), weights);
    x = at;
    gradient.push_back((above - below) / (2 * kStep));
  }
  return gradient;
}

}  // namespace

TEST_CASE("every op computes what a plain loop in double computes") {
  for (const OpCase& test : op_cases()) {
    CAPTURE(test.name);
    Built built;
    build(test, built);
    const auto found = run(test, built, 2);
    const std::vector<Array> expected = test.reference(random_arrays(test.arguments, kSeed));
    REQUIRE(expected.size() == built.results.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK_MESSAGE(built.results[i].shape() == expected[i].shape, built.results[i].str());
      check_close(fmt::format("{}, result {}", test.name, i), found[i], expected[i].values, test.tolerance, kScale);
    }
  }
}

TEST_CASE("every gradient equals central differences of the plain loop") {
  for (const OpCase& test : op_cases()) {
    if (!test.check_gradient) continue;
    CAPTURE(test.name);
    Built built;
    build(test, built);
    const auto found = run(test, built, 2);
    const std::vector<Array> arrays = random_arrays(test.arguments, kSeed);
    const std::vector<Array> weights = weights_of(built);
    for (size_t g = 0; g < built.grad_inputs.size(); ++g) {
      const size_t argument = built.grad_inputs[g];
      check_close(fmt::format("{}, gradient of argument {}", test.name, argument), found[built.results.size() + g],
                  central_differences(test, arrays, argument, weights), test.grad_tolerance, kScale);
    }
  }
}

TEST_CASE("every op gives the same bits on 1, 2, 3 and 8 threads") {
  for (const OpCase& test : op_cases()) {
    CAPTURE(test.name);
    Built built;
    build(test, built);
    const auto expected = run(test, built, 1);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(threads);
      const auto found = run(test, built, threads);
      for (size_t i = 0; i < expected.size(); ++i) {
        if (expected[i].empty()) continue;
        CHECK(std::memcmp(found[i].data(), expected[i].data(), expected[i].size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("every op of the list is in a case of the table") {
  std::set<std::string> seen;
  for (const OpCase& test : op_cases()) {
    Built built;
    build(test, built);
    for (const Node& node : built.graph.nodes()) seen.insert(node.op->name);
  }
  for (const Op* op : all_ops()) CHECK_MESSAGE(seen.contains(op->name), std::string(op->name));
}

}  // namespace tinyllm::test
