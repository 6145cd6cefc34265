#pragma once

#include <tinyllm/tensor/graph.h>

#include <functional>
#include <string>
#include <vector>

namespace tinyllm::test {

/// A tensor of the reference computations: plain doubles (integers for i32).
struct Array {
  Shape shape;
  std::vector<double> values;

  explicit Array(Shape s) : shape(s), values(static_cast<size_t>(s.size())) {}
  double& operator[](int64_t i) { return values[static_cast<size_t>(i)]; }
  double operator[](int64_t i) const { return values[static_cast<size_t>(i)]; }
};

/// An input of a case, filled with uniform numbers in [low, high) (integers for i32). Of a packed one, which is a
/// parameter, and of one of 16 bits, the reference is given what the numbers became.
struct Argument {
  Type type;
  Shape shape;
  double low = -1;
  double high = 1;
  bool gradient = true;     ///< Check the gradient with respect to it (f32 only).
  Kind kind = Kind::input;  ///< Or parameter, or state, where the op updates it.
};

/// One row of the table that every op is tested by:
/// - its results equal `reference`, a plain loop in double;
/// - its gradients equal central differences of `reference`;
/// - results and gradients are bit-identical for 1, 2, 3 and 8 threads.
struct OpCase {
  std::string name;  ///< The op and what is special: "rms_norm, odd rows".
  std::vector<Argument> arguments;
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> build;
  std::function<std::vector<Array>(const std::vector<Array>&)> reference;
  double tolerance = 2e-6;       ///< Of results, relative to the largest magnitude.
  double grad_tolerance = 2e-5;  ///< Of gradients, likewise.
  bool check_gradient = true;    ///< False for ops without one, and for large cases (thread invariance only).
};

/// All rows: those of each file `<kind>_cases.cc`, which `cases.h` lists.
std::vector<OpCase> op_cases();

}  // namespace tinyllm::test
