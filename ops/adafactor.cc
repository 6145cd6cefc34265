#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/workspace.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

// The parameter as a matrix. A vector is one of a single column: its row averages are the squares themselves.
struct Matrix {
  int64_t rows, columns;
  bool has_columns;

  explicit Matrix(const Shape& shape)
      : rows(shape.rank() == 2 ? shape[0] : shape.size()),
        columns(shape.rank() == 2 ? shape[1] : 1),
        has_columns(shape.rank() == 2) {}
};

struct Scratch {
  double* row_sums;  // Of squares: of each row of the update, then of the parameter.
  double* param_sums;

  Scratch(Workspace& memory, int64_t rows)
      : row_sums(memory.take<double>(rows)), param_sums(memory.take<double>(rows)) {}
};

size_t workspace(const Node& node, const Graph& graph, int) {
  Workspace memory;
  Scratch(memory, Matrix(graph.value(node.inputs[0]).shape).rows);
  return memory.bytes();
}

double total_of(const double* x, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += x[i];
  return total;
}

double square_of(double x) { return x * x; }

// Inputs: param, grad, rows, step, rate, factor and, of a matrix, columns. The output is the parameter itself.
void run(const Launch& launch) {
  const auto& o = launch.get<Adafactor>();
  const Matrix matrix(launch.inputs[0].shape);
  const int64_t n = matrix.rows, k = matrix.columns;
  float* param = launch.inputs[0].f32();
  const float* grad = launch.inputs[1].f32();
  float* row_averages = launch.inputs[2].f32();
  float* column_averages = matrix.has_columns ? launch.inputs[6].f32() : nullptr;
  const int32_t step = launch.inputs[3].i32()[0];
  if (step < 1) throw Error("adafactor: step {}, expected 1 or more", step);
  const double rate = launch.inputs[4].f32()[0], factor = launch.inputs[5].f32()[0];
  if (factor == 0 || n * k == 0) return;
  const double keep = 1 - std::pow(static_cast<double>(step), -static_cast<double>(o.decay_power));
  const auto square_at = [&](int64_t i) { return square_of(factor * grad[i]) + static_cast<double>(o.eps); };
  const auto blend = [&](float& average, double now) {
    average = static_cast<float>(keep * average + (1 - keep) * now);
  };

  ThreadPool& pool = *launch.pool;
  Workspace memory(launch.workspace);
  const Scratch scratch(memory, n);
  const int64_t grain = row_grain(k);
  parallel_ranges(pool, n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double total = 0, squares = 0;
      for (int64_t j = i * k; j < (i + 1) * k; ++j) {
        total += square_at(j);
        squares += square_of(param[j]);
      }
      blend(row_averages[i], total / static_cast<double>(k));
      scratch.param_sums[i] = squares;
    }
  });
  double mean_row = 1;
  if (matrix.has_columns) {
    parallel_ranges(pool, k, row_grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; ++j) {
        double total = 0;
        for (int64_t i = 0; i < n; ++i) total += square_at(i * k + j);
        blend(column_averages[j], total / static_cast<double>(n));
      }
    });
    mean_row = 0;
    for (int64_t i = 0; i < n; ++i) mean_row += row_averages[i] / static_cast<double>(n);
  }
  const auto update_at = [&](int64_t i, int64_t j) {
    const double column = matrix.has_columns ? column_averages[j] / mean_row : 1;
    return factor * grad[i * k + j] / std::sqrt(row_averages[i] * column);
  };
  parallel_ranges(pool, n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      scratch.row_sums[i] = 0;
      for (int64_t j = 0; j < k; ++j) scratch.row_sums[i] += square_of(update_at(i, j));
    }
  });
  const auto count = static_cast<double>(n * k);
  const double update_rms = std::sqrt(total_of(scratch.row_sums, n) / count);
  const double param_rms = std::sqrt(total_of(scratch.param_sums, n) / count);
  const double size = rate * (o.relative ? std::max<double>(o.least_scale, param_rms) : 1);
  const double by = size / std::max(1.0, update_rms / static_cast<double>(o.clip));
  const double shrink = 1 - rate * static_cast<double>(o.decay);
  parallel_ranges(pool, n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < k; ++j) {
        float& p = param[i * k + j];
        p = static_cast<float>(shrink * p - by * update_at(i, j));
      }
    }
  });
}

}  // namespace

const Op kAdafactor{.name = "adafactor", .run = run, .workspace = workspace, .alias = true};

Tensor adafactor(Tensor param, Tensor grad, Tensor rows, Tensor columns, Tensor step, Tensor rate, Tensor factor,
                 const Adafactor& options) {
  check_f32("adafactor", {param, grad, rows, rate, factor});
  check_i32("adafactor", {step});
  const Shape& shape = param.shape();
  if (shape.rank() != 1 && shape.rank() != 2) throw Error("adafactor: param {}: expected [N, K] or [N]", param.str());
  check_shape("adafactor", grad, shape);
  check_shape("adafactor", rows, {shape[0]});
  for (const Tensor& tensor : {step, rate, factor}) check_shape("adafactor", tensor, {1});
  std::vector<Tensor> inputs = {param, grad, rows, step, rate, factor};
  if (shape.rank() == 2) {
    check_f32("adafactor", {columns});
    check_shape("adafactor", columns, {shape[1]});
    inputs.push_back(columns);
  } else if (columns) {
    throw Error("adafactor: param {} and columns {}: expected no columns for a vector", param.str(), columns.str());
  }
  return param.graph().append(kAdafactor, inputs, {{f32, shape}}, options)[0];
}

}  // namespace tinyllm
