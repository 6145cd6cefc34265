#include <tinyllm/ops/testing.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tinyllm {
namespace {

// A computation, and the gradients of L with respect to its f32 arguments.
struct Checked {
  Graph graph;
  std::vector<Tensor> wrt;
  Tensor result, weights;
  std::vector<Tensor> grads;

  Checked(const TestComputation& computation, const std::vector<TestArgument>& arguments) {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < arguments.size(); ++i) {
      const DType type = arguments[i].type;
      if (type != f32 && type != i32) {
        throw Error("testing: argument {} is {}, expected f32 or i32", i, name_of(type));
      }
      inputs.push_back(graph.input(fmt::format("argument {}", i), type, arguments[i].shape));
      if (type == f32) wrt.push_back(inputs.back());
    }
    result = computation(inputs);
    if (!result || &result.graph() != &graph || result.type() != f32) {
      throw Error("testing: the computation returned {}, expected an f32 tensor of the graph of its arguments",
                  result ? result.str() : "an empty tensor");
    }
    weights = graph.input("weights of the result", f32, result.shape());
    grads = gradients(sum(mul(result, weights)), wrt);
  }

  std::vector<Tensor> outputs() const {
    std::vector<Tensor> all = grads;
    all.push_back(result);
    return all;
  }

  Program compiled(int threads) const { return compile(graph, outputs(), {.pool = ThreadPool(threads)}); }
};

void fill(const std::vector<TestArgument>& arguments, const Tensor& weights, uint64_t seed, Program& program) {
  Random random(seed);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = fmt::format("argument {}", i);
    const auto [shape, type, low, high] = arguments[i];
    const auto draw = [&, from = low, to = high] { return from + (to - from) * random.uniform(); };
    if (type == f32) {
      for (float& x : program.data<float>(name)) x = static_cast<float>(draw());
    } else {
      for (int32_t& x : program.data<int32_t>(name)) x = static_cast<int32_t>(std::floor(draw()));
    }
  }
  for (float& r : program.data<float>(weights.name())) r = static_cast<float>(2 * random.uniform() - 1);
}

// L at the program's present arguments, summed in double.
double weighted_sum(const Checked& checked, Program& program) {
  program.run();
  const std::span<const float> y = program.read<float>(checked.result);
  const std::span<const float> r = program.data<float>(checked.weights.name());
  double total = 0;
  for (size_t i = 0; i < y.size(); ++i) total += static_cast<double>(y[i]) * r[i];
  return total;
}

std::vector<float> differences(const Checked& checked, Program& program, const Tensor& argument, float step) {
  const std::span<float> x = program.data<float>(argument.name());
  std::vector<float> slopes;
  for (float& element : x) {
    const float kept = element;
    const float above = kept + step, below = kept - step;
    element = above;
    const double high = weighted_sum(checked, program);
    element = below;
    const double low = weighted_sum(checked, program);
    element = kept;
    slopes.push_back(static_cast<float>((high - low) / (static_cast<double>(above) - below)));
  }
  return slopes;
}

}  // namespace

void check_gradients(const TestComputation& computation, const std::vector<TestArgument>& arguments,
                     const GradientCheck& options) {
  const Checked checked(computation, arguments);
  Program program = checked.compiled(1);
  fill(arguments, checked.weights, options.seed, program);
  bool is_compared = false;
  for (size_t k = 0; k < checked.wrt.size(); ++k) {
    const std::vector<float> expected = differences(checked, program, checked.wrt[k], options.step);
    program.run();
    const std::span<const float> found = program.read<float>(checked.grads[k]);
    const auto fail = [&](size_t i) {
      throw Error(
          "check_gradients: the gradient of {} with respect to {}: element {} is {}, expected {} (central "
          "difference)",
          checked.result.str(), checked.wrt[k].str(), i, found[i], expected[i]);
    };
    float largest = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!std::isfinite(expected[i])) fail(i);  // Nothing can be compared with it.
      largest = std::max(largest, std::abs(expected[i]));
    }
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!(std::abs(found[i] - expected[i]) <= options.tolerance * largest)) fail(i);
      is_compared = true;
    }
  }
  if (!is_compared) throw Error("check_gradients: no argument has elements of f32, expected at least one to compare");
}

void check_threads(const TestComputation& computation, const std::vector<TestArgument>& arguments, uint64_t seed) {
  const Checked checked(computation, arguments);
  std::vector<std::vector<float>> first;
  for (const int threads : {1, 2, 3, 8}) {
    Program program = checked.compiled(threads);
    fill(arguments, checked.weights, seed, program);
    program.run();
    const std::vector<Tensor> outputs = checked.outputs();
    for (size_t k = 0; k < outputs.size(); ++k) {
      const std::span<const float> values = program.read<float>(outputs[k]);
      if (threads == 1) {
        first.emplace_back(values.begin(), values.end());
        continue;
      }
      for (size_t i = 0; i < values.size(); ++i) {
        if (std::memcmp(&values[i], &first[k][i], sizeof(float)) == 0) continue;
        throw Error("check_threads: element {} of {} is {} on {} threads, expected {} as on one", i, outputs[k].str(),
                    values[i], threads, first[k][i]);
      }
    }
  }
}

}  // namespace tinyllm
