#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::silu:
      return silu_of(x);
    case Activation::gelu:
      return gelu_of(x);
  }
  return 0;
}

OpCase linear_case(const std::string& name, Shape x, int64_t n, bool bias, Activation activation = Activation::none) {
  OpCase test;
  test.name = "linear, " + name;
  test.arguments = {{f32, x}, {f32, {n, x.row()}}};
  if (bias) test.arguments.push_back({f32, {n}});
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {linear(in[0], in[1], bias ? in[2] : Tensor{}, activation)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(x.with(-1, n));
    const int64_t k = x.row();
    for (int64_t i = 0; i < x.rows(); ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double total = bias ? in[2][j] : 0;
        for (int64_t p = 0; p < k; ++p) total += in[0][i * k + p] * in[1][j * k + p];
        y[i * n + j] = activated(activation, total);
      }
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase matmul_case(const std::string& name, int64_t batch, int64_t m, int64_t n, int64_t k, bool trans_a,
                   bool trans_b) {
  OpCase test;
  test.name = "matmul, " + name;
  test.arguments = {{f32, trans_a ? Shape{batch, k, m} : Shape{batch, m, k}},
                    {f32, trans_b ? Shape{batch, n, k} : Shape{batch, k, n}}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {matmul(in[0], in[1], {.trans_a = trans_a, .trans_b = trans_b})};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array c({batch, m, n});
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          double total = 0;
          for (int64_t p = 0; p < k; ++p) {
            total += in[0][b * m * k + (trans_a ? p * m + i : i * k + p)] *
                     in[1][b * k * n + (trans_b ? j * k + p : p * n + j)];
          }
          c[(b * m + i) * n + j] = total;
        }
      }
    }
    return std::vector<Array>{c};
  };
  return test;
}

// Leading extents [2, 3], each of which may be 1 or missing in an argument: product (i, j) reads matrix
// i * row + j * column of it.
struct Leading {
  std::vector<int64_t> extents;
  int64_t row, column;
};
OpCase broadcast_matmul_case(const Leading& a, const Leading& b, bool trans_a, bool trans_b) {
  constexpr int64_t kM = 4, kN = 5, kK = 3;
  const auto shape = [](std::vector<int64_t> extents, int64_t rows, int64_t columns) {
    extents.insert(extents.end(), {rows, columns});
    return Shape(std::span<const int64_t>(extents));
  };
  OpCase test;
  const Shape left = trans_a ? shape(a.extents, kK, kM) : shape(a.extents, kM, kK);
  const Shape right = trans_b ? shape(b.extents, kN, kK) : shape(b.extents, kK, kN);
  test.name = fmt::format("matmul, {} with {}", left, right);
  test.arguments = {{f32, left}, {f32, right}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {matmul(in[0], in[1], {.trans_a = trans_a, .trans_b = trans_b})};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array c({2, 3, kM, kN});
    for (int64_t at = 0; at < c.shape.size(); ++at) {
      const int64_t j = at % kN, i = at / kN % kM, second = at / (kM * kN) % 3, first = at / (3 * kM * kN);
      for (int64_t p = 0; p < kK; ++p) {
        c[at] += in[0][(first * a.row + second * a.column) * kM * kK + (trans_a ? p * kM + i : i * kK + p)] *
                 in[1][(first * b.row + second * b.column) * kK * kN + (trans_b ? j * kK + p : p * kN + j)];
      }
    }
    return std::vector<Array>{c};
  };
  return test;
}

// Rows of x in INT8, block by block, as ops.h says: in float, where that decides what is nearest. With weights in
// bfloat16 they are as they come.
OpCase packed_case(const std::string& name, Type type, Shape x, int64_t n, bool bias,
                   Activation activation = Activation::none) {
  OpCase test;
  test.name = fmt::format("linear, {}, {}", type.str(), name);
  test.arguments = {{f32, x}, {type, {n, x.row()}, -1, 1, false, Kind::parameter}};
  if (bias) test.arguments.push_back({f32, {n}});
  test.check_gradient = false;
  test.arguments[0].gradient = false;
  if (bias) test.arguments[2].gradient = false;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {linear(in[0], in[1], bias ? in[2] : Tensor{}, activation)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array rounded = in[0];
    for (int64_t i = 0; i < (type == packed_bf16 ? 0 : x.size()); i += 32) {
      float most = 0;
      for (int64_t k = 0; k < 32; ++k) most = std::max(most, std::abs(float(in[0][i + k])));
      const float factor = most > 0 ? 127.0f / most : 0;
      for (int64_t k = 0; k < 32; ++k) {
        rounded[i + k] = double(std::nearbyint(float(in[0][i + k]) * factor)) * double(most / 127.0f);
      }
    }
    Array y(x.with(-1, n));
    const int64_t k = x.row();
    for (int64_t i = 0; i < x.rows(); ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double total = bias ? in[2][j] : 0;
        for (int64_t p = 0; p < k; ++p) total += rounded[i * k + p] * in[1][j * k + p];
        y[i * n + j] = activated(activation, total);
      }
    }
    return std::vector<Array>{y};
  };
  return test;
}

// With the numbers that w stands for, which the reference is given.
OpCase exact_case(const std::string& name, Type type, Shape x, int64_t n, bool bias,
                  Activation activation = Activation::none) {
  OpCase test = linear_case(name, x, n, bias, activation);
  test.name = fmt::format("linear, {} exact, {}", type.str(), name);
  test.arguments[1] = {type, {n, x.row()}, -1, 1, false, Kind::parameter};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {linear(in[0], in[1], bias ? in[2] : Tensor{}, activation, PackedInput::exact)};
  };
  return test;
}

OpCase packed_matmul_case(const std::string& name, Type type, int64_t m, int64_t n, int64_t k, bool trans_a,
                          bool trans_b) {
  OpCase test = matmul_case(name, 1, m, n, k, trans_a, trans_b);
  test.name = fmt::format("matmul, {}, {}", type.str(), name);
  test.arguments[0].shape = trans_a ? Shape{k, m} : Shape{m, k};
  test.arguments[1] = {type, trans_b ? Shape{n, k} : Shape{k, n}, -1, 1, false, Kind::parameter};
  test.reference = [reference = test.reference, m, n](const std::vector<Array>& in) {
    std::vector<Array> c = reference(in);
    c[0].shape = {m, n};
    return c;
  };
  return test;
}

OpCase large(OpCase test) {
  test.check_gradient = false;
  return test;
}

}  // namespace

std::vector<OpCase> products_cases() {
  std::vector<OpCase> cases = {
      linear_case("a single row", {7}, 5, true),
      linear_case("few rows", {2, 3, 19}, 6, true),
      linear_case("odd sizes", {17, 13}, 11, true),
      linear_case("no bias", {3, 5, 8}, 4, false),
      linear_case("silu", {9, 10}, 7, true, Activation::silu),
      linear_case("gelu", {3, 10}, 7, false, Activation::gelu),
      linear_case("an empty batch", {0, 5, 8}, 4, true),
      linear_case("no inner elements", {3, 0}, 4, true),
      large(linear_case("several blocks", {201, 530}, 300, true, Activation::silu)),
      large(linear_case("few long rows", {5, 1030}, 70, false)),
      large(linear_case("wider than a block", {12, 40}, 4200, true)),
      matmul_case("as they lie", 1, 9, 17, 5, false, false),
      matmul_case("a transposed", 2, 9, 7, 5, true, false),
      matmul_case("b transposed", 2, 3, 7, 5, false, true),
      matmul_case("both transposed", 1, 10, 18, 5, true, true),
      matmul_case("an empty batch", 0, 3, 2, 4, false, false),
      broadcast_matmul_case({{2, 3}, 3, 1}, {{}, 0, 0}, false, false),
      broadcast_matmul_case({{2, 3}, 3, 1}, {{}, 0, 0}, true, true),
      broadcast_matmul_case({{}, 0, 0}, {{2, 3}, 3, 1}, false, true),
      broadcast_matmul_case({{2, 1}, 1, 0}, {{3}, 0, 1}, false, false),
      broadcast_matmul_case({{1, 3}, 0, 1}, {{2, 1}, 1, 0}, true, false),
      large(matmul_case("several blocks", 1, 205, 290, 520, true, false)),
  };
  for (const Type type : kPackedTypes) {
    cases.push_back(packed_case("one row", type, {64}, 32, false));
    cases.push_back(packed_case("part of a panel", type, {3, 96}, 5, true));
    cases.push_back(packed_case("many rows", type, {2, 17, 64}, 71, true));
    cases.push_back(packed_case("pieces of rows and columns", type, {400, 160}, 333, true));
    cases.push_back(packed_case("a long row", type, {2, 4128}, 70, false));
    cases.push_back(packed_case("an empty batch", type, {0, 32}, 4, true));
    cases.push_back(packed_case("silu", type, {3, 64}, 9, true, Activation::silu));
    cases.push_back(packed_case("gelu", type, {3, 64}, 9, false, Activation::gelu));
    cases.push_back(packed_case("no inner elements", type, {3, 0}, 4, true));
    cases.push_back(exact_case("one row", type, {32}, 5, false));
    cases.push_back(exact_case("parts of panels", type, {2, 3, 64}, 37, true));
    cases.push_back(exact_case("silu", type, {3, 64}, 9, true, Activation::silu));
    cases.push_back(exact_case("an empty batch", type, {0, 32}, 4, true));
    cases.push_back(exact_case("no inner elements", type, {3, 0}, 4, true));
    cases.push_back(large(exact_case("several blocks", type, {130, 1088}, 333, true)));
    cases.push_back(packed_matmul_case("as it lies", type, 5, 64, 37, false, false));
    cases.push_back(packed_matmul_case("a transposed", type, 5, 64, 37, true, false));
    cases.push_back(packed_matmul_case("both transposed", type, 5, 37, 64, true, true));
    cases.push_back(packed_matmul_case("transposed", type, 5, 37, 64, false, true));
    cases.push_back(large(packed_matmul_case("several blocks", type, 130, 4160, 555, false, false)));
  }
  return cases;
}

}  // namespace tinyllm::test
