#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

OpCase clip_case(const std::string& name, const std::vector<Shape>& shapes, float max_norm) {
  OpCase test;
  test.name = "clip_by_global_norm, " + name;
  for (const Shape& shape : shapes) test.arguments.push_back({f32, shape, -1, 1, false});
  test.check_gradient = false;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const ClippedNorm clipped = clip_by_global_norm(in, max_norm);
    return {clipped.norm, clipped.factor};
  };
  test.reference = [=](const std::vector<Array>& in) {
    double squares = 0;
    for (const Array& grad : in) {
      for (const double g : grad.values) squares += g * g;
    }
    Array norm({1});
    Array factor({1});
    norm[0] = std::sqrt(squares);
    factor[0] = std::min(1.0, double(max_norm) / (norm[0] + 1e-6));
    return std::vector<Array>{norm, factor};
  };
  return test;
}

OpCase accumulate_case(Shape shape, float keep) {
  OpCase test;
  test.name = fmt::format("accumulate {}, keeping {}", shape, keep);
  test.check_gradient = false;
  test.arguments = {{f32, shape, -1, 1, false, Kind::state}, {f32, shape, -1, 1, false}, {f32, {1}, -2, 2, false}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {accumulate(in[0], in[1], in[2], keep)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array total = in[0];
    for (int64_t i = 0; i < shape.size(); ++i) total[i] = double(keep) * total[i] + in[2][0] * in[1][i];
    return std::vector<Array>{total};
  };
  return test;
}

// The update happens in place and its results are the states: m, v and param are asked for after it.
OpCase adamw_case(Shape shape, int32_t step) {
  const AdamW options{.beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f, .decay = 0.1f};
  OpCase test;
  test.name = fmt::format("adamw {} at step {}", shape, step);
  test.check_gradient = false;
  test.arguments = {{f32, shape, -1, 1, false, Kind::parameter},
                    {f32, shape, -1, 1, false},
                    {f32, shape, -1, 1, false, Kind::state},
                    {f32, shape, 0, 1, false, Kind::state},
                    {i32, {1}, double(step), double(step) + 1},
                    {f32, {1}, 0.01, 0.02, false},
                    {f32, {1}, 0.2, 0.9, false}};
  test.tolerance = 3e-6;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {adamw(in[0], in[1], in[2], in[3], in[4], in[5], in[6], options), in[2], in[3]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array param = in[0];
    Array m = in[2];
    Array v = in[3];
    const double b1 = double(options.beta1);
    const double b2 = double(options.beta2);
    const double rate = in[5][0];
    for (int64_t i = 0; i < shape.size(); ++i) {
      const double g = in[1][i] * in[6][0];
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      param[i] -= rate * double(options.decay) * param[i];
      param[i] -=
          rate * (m[i] / (1 - std::pow(b1, step))) / (std::sqrt(v[i] / (1 - std::pow(b2, step))) + double(options.eps));
    }
    return std::vector<Array>{param, m, v};
  };
  return test;
}

OpCase sgd_case(Shape shape, bool nesterov) {
  const Sgd options{.momentum = 0.8f, .decay = 0.1f, .nesterov = nesterov};
  OpCase test;
  test.name = fmt::format("sgd {}{}", shape, nesterov ? " by Nesterov" : "");
  test.check_gradient = false;
  test.arguments = {{f32, shape, -1, 1, false, Kind::parameter},
                    {f32, shape, -1, 1, false},
                    {f32, shape, -1, 1, false, Kind::state},
                    {f32, {1}, 0.01, 0.02, false},
                    {f32, {1}, 0.2, 0.9, false}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {sgd(in[0], in[1], in[2], in[3], in[4], options), in[2]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array param = in[0];
    Array m = in[2];
    for (int64_t i = 0; i < shape.size(); ++i) {
      const double g = in[4][0] * in[1][i] + double(options.decay) * param[i];
      m[i] = double(options.momentum) * m[i] + g;
      param[i] -= in[3][0] * (nesterov ? double(options.momentum) * m[i] + g : m[i]);
    }
    return std::vector<Array>{param, m};
  };
  return test;
}

OpCase lion_case(Shape shape) {
  const Lion options{.beta1 = 0.9f, .beta2 = 0.95f, .decay = 0.2f};
  OpCase test = sgd_case(shape, false);
  test.name = fmt::format("lion {}", shape);
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {lion(in[0], in[1], in[2], in[3], in[4], options), in[2]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array param = in[0];
    Array m = in[2];
    for (int64_t i = 0; i < shape.size(); ++i) {
      const double g = in[4][0] * in[1][i];
      const double direction = double(options.beta1) * m[i] + (1 - double(options.beta1)) * g;
      param[i] -= in[3][0] * (double(options.decay) * param[i] + double(direction > 0) - double(direction < 0));
      m[i] = double(options.beta2) * m[i] + (1 - double(options.beta2)) * g;
    }
    return std::vector<Array>{param, m};
  };
  return test;
}

// What five Newton-Schulz steps make of a matrix [n, k], as plain loops: x -> a x + (b x x^T + c (x x^T)^2) x.
void orthogonalise(std::vector<double>& x, int64_t n, int64_t k) {
  const auto product = [](const std::vector<double>& a, const std::vector<double>& b, int64_t m, int64_t inner,
                          int64_t width) {
    std::vector<double> c(size_t(m * width));
    for (int64_t i = 0; i < m * inner; ++i) {
      for (int64_t j = 0; j < width; ++j)
        c[size_t(i / inner * width + j)] += a[size_t(i)] * b[size_t(i % inner * width + j)];
    }
    return c;
  };
  std::vector<double> transposed(x.size());
  for (int step = 0; step < 5; ++step) {
    for (int64_t i = 0; i < n * k; ++i) transposed[size_t(i % k * n + i / k)] = x[size_t(i)];
    const std::vector<double> gram = product(x, transposed, n, k, n);
    const std::vector<double> cubic = product(gram, x, n, n, k);
    const std::vector<double> quintic = product(gram, cubic, n, n, k);
    for (size_t i = 0; i < x.size(); ++i) x[i] = 3.4445 * x[i] - 4.7750 * cubic[i] + 2.0315 * quintic[i];
  }
}

OpCase adafactor_case(Shape shape, int32_t step, bool relative) {
  const Adafactor options{.clip = 0.5f, .relative = relative, .decay = 0.1f};
  const bool is_matrix = shape.rank() == 2;
  const int64_t n = shape[0], k = is_matrix ? shape[1] : 1;
  OpCase test;
  test.name = fmt::format("adafactor {} at step {}{}", shape, step, relative ? ", relative" : "");
  test.check_gradient = false;
  test.arguments = {{f32, shape, -1, 1, false, Kind::parameter},
                    {f32, shape, -1, 1, false},
                    {f32, {n}, 0.1, 1, false, Kind::state},
                    {f32, {k}, 0.1, 1, false, Kind::state},
                    {i32, {1}, double(step), double(step) + 1},
                    {f32, {1}, 0.01, 0.02, false},
                    {f32, {1}, 0.2, 0.9, false}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    std::vector<Tensor> results = {
        adafactor(in[0], in[1], in[2], is_matrix ? in[3] : Tensor{}, in[4], in[5], in[6], options), in[2]};
    if (is_matrix) results.push_back(in[3]);
    return results;
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array param = in[0], rows = in[2], columns = in[3], u = in[1];
    const double b = 1 - std::pow(double(step), double(-options.decay_power));
    double squares = 0, update_squares = 0, mean = 0;
    const double kept = n * k == 0 ? 1 : b;  // Without elements there is nothing to average.
    for (double& r : rows.values) r *= kept;
    for (double& c : columns.values) c *= kept;
    for (int64_t i = 0; i < n * k; ++i) {
      u[i] *= in[6][0];
      squares += param[i] * param[i];
      rows[i / k] += (1 - b) * (u[i] * u[i] + 1e-30) / double(k);
      columns[i % k] += (1 - b) * (u[i] * u[i] + 1e-30) / double(n);
    }
    for (const double r : rows.values) mean += r / double(n);
    for (int64_t i = 0; i < n * k; ++i) {
      u[i] /= std::sqrt(rows[i / k] * (is_matrix ? columns[i % k] / mean : 1));
      update_squares += u[i] * u[i];
    }
    const double rate = in[5][0];
    const double size = relative ? std::max(1e-3, std::sqrt(squares / double(n * k))) : 1;
    const double clip = std::max(1.0, std::sqrt(update_squares / double(n * k)) / 0.5);
    for (int64_t i = 0; i < n * k; ++i) {
      param[i] = (1 - rate * double(options.decay)) * param[i] - rate * size / clip * u[i];
    }
    std::vector<Array> results = {param, rows};
    if (is_matrix) results.push_back(columns);
    return results;
  };
  return test;
}

OpCase muon_case(Shape shape, int64_t parts) {
  const Muon options{.momentum = 0.9f, .decay = 0.1f, .parts = parts};
  OpCase test;
  test.name = fmt::format("muon {} in {} parts", shape, parts);
  test.check_gradient = false;
  test.arguments = {{f32, shape, -0.1, 0.1, false, Kind::parameter},
                    {f32, shape, -1, 1, false},
                    {f32, shape, -1, 1, false, Kind::state},
                    {f32, {1}, 0.01, 0.02, false},
                    {f32, {1}, 0.2, 0.9, false}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {muon(in[0], in[1], in[2], in[3], in[4], options), in[2]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array param = in[0];
    Array m = in[2];
    const double b = double(options.momentum);
    const int64_t n = shape[0] / parts;
    const int64_t size = n * shape[1];
    for (int64_t part = 0; part < parts; ++part) {
      std::vector<double> u(static_cast<size_t>(size));
      double squares = 0;
      for (int64_t i = 0; i < size; ++i) {
        const double fresh = (1 - b) * in[4][0] * in[1][part * size + i];
        m[part * size + i] = b * m[part * size + i] + fresh;
        u[size_t(i)] = b * m[part * size + i] + fresh;
        squares += u[size_t(i)] * u[size_t(i)];
      }
      for (double& x : u) x /= std::sqrt(squares) + 1e-7;
      orthogonalise(u, n, shape[1]);
      const double step = in[3][0] * 0.2 * std::sqrt(double(std::max(n, shape[1])));
      for (int64_t i = 0; i < size; ++i) {
        double& x = param[part * size + i];
        x -= in[3][0] * double(options.decay) * x + step * u[size_t(i)];
      }
    }
    return std::vector<Array>{param, m};
  };
  return test;
}

}  // namespace

std::vector<OpCase> optimizer_cases() {
  return {
      clip_case("beyond the limit", {{5, 7}, {0}, {3}}, 0.5f),
      clip_case("within the limit", {{5, 7}, {3}}, 50.0f),
      clip_case("many elements", {{70001}, {3, 130000}}, 1.0f),
      accumulate_case({300, 111}, 1),
      accumulate_case({300, 111}, 0.9f),
      accumulate_case({0}, 1),
      adamw_case({13}, 1),
      adamw_case({300, 111}, 1000),
      adamw_case({0}, 2),
      sgd_case({13}, false),
      sgd_case({300, 111}, true),
      sgd_case({0}, false),
      lion_case({13}),
      lion_case({300, 111}),
      lion_case({0}),
      adafactor_case({13}, 1, false),
      adafactor_case({70}, 3, true),
      adafactor_case({33, 20}, 1, true),
      adafactor_case({300, 111}, 1000, false),
      adafactor_case({5, 0}, 2, true),
      muon_case({24, 40}, 1),
      muon_case({70, 33}, 1),
      muon_case({96, 40}, 3),
      muon_case({1, 5}, 1),
      muon_case({0, 5}, 1),
  };
}

}  // namespace tinyllm::test
