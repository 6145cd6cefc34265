#pragma once

#include <tinyllm/tensor/graph.h>

#include <functional>
#include <vector>

/// Checks for tests of your own ops, and of computations built from ops. They throw Error that says what differs.
namespace tinyllm {

/// An argument of a computation under test: uniform random numbers in [low, high), whole ones if it is i32.
struct TestArgument {
  Shape shape;
  DType type = f32;  ///< f32 or i32.
  float low = -1;
  float high = 1;
};

/// Appends a computation of these arguments to their graph, and returns its f32 result.
using TestComputation = std::function<Tensor(const std::vector<Tensor>& arguments)>;

struct GradientCheck {
  float step = 1e-2f;  ///< h below. Choose arguments so that no kink (as of relu at 0) is this close to a number.
  /// The largest difference, as a fraction of the largest gradient of the argument. What float and a step of 0.01 allow
  /// for numbers and slopes of about 1.
  float tolerance = 1e-3f;
  uint64_t seed = 1;  ///< Of the arguments and of r.
};

/// Compares gradients with central differences. With L = sum_i r_i y_i, for random r in [-1, 1) and the result y, the
/// gradient dL/dx_j must equal (L(x + h e_j) - L(x - h e_j)) / 2h for every element of every f32 argument. Throws Error
/// if one differs, if a difference is not finite, and if there is no element to compare.
void check_gradients(const TestComputation& computation, const std::vector<TestArgument>& arguments,
                     const GradientCheck& options = {});

/// Checks that the result and its gradients have the same bits on 1, 2, 3 and 8 threads.
void check_threads(const TestComputation& computation, const std::vector<TestArgument>& arguments, uint64_t seed = 1);

}  // namespace tinyllm
