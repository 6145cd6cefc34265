#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/map.h>
#include <tinyllm/ops/kernels/math.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

template <class X, class Y, auto f>
void combine(int64_t n, Operand<X> x, Operand<X> y, Y* out) {
  map(n, x, y, out, [](auto a, auto b) { return f(a, b); });
}

constexpr auto kAdd = [](Vf a, Vf b) { return a + b; };
constexpr auto kSub = [](Vf a, Vf b) { return a - b; };
constexpr auto kMul = [](Vf a, Vf b) { return a * b; };
constexpr auto kDiv = [](Vf a, Vf b) { return a / b; };
constexpr auto kPow = [](Vf a, Vf b) { return in_double([](Vd x, Vd y) { return pow(x, y); }, a, b); };
// NaN if one of them is; a if they are equal.
constexpr auto kMinimum = [](Vf a, Vf b) { return ((a <= b) | (a != a)) ? a : b; };
constexpr auto kMaximum = [](Vf a, Vf b) { return ((a >= b) | (a != a)) ? a : b; };

constexpr auto kEqual = [](auto a, auto b) { return (a == b) & 1; };
constexpr auto kNotEqual = [](auto a, auto b) { return (a != b) & 1; };
constexpr auto kLess = [](auto a, auto b) { return (a < b) & 1; };
constexpr auto kLessEqual = [](auto a, auto b) { return (a <= b) & 1; };
constexpr auto kAnd = [](Vi a, Vi b) { return (a != 0) & (b != 0) & 1; };
constexpr auto kOr = [](Vi a, Vi b) { return ((a | b) != 0) & 1; };

template <class X>
void where(int64_t size, Operand<int32_t> condition, Operand<X> x, Operand<X> y, X* out) {
  const auto all = splat(*condition.data);
  const auto one = splat(*x.data), other = splat(*y.data);
  for_each_vector(size, [&](int64_t i, int64_t n) {
    const auto c = condition.repeated ? all : load_any(condition.data + i, n);
    const auto a = x.repeated ? one : load_any(x.data + i, n);
    const auto b = y.repeated ? other : load_any(y.data + i, n);
    store_any(out + i, c != 0 ? a : b, n);
  });
}

}  // namespace

void fill_binary(Kernels& table) {
  table.binary = {
      .add = combine<float, float, kAdd>,
      .sub = combine<float, float, kSub>,
      .mul = combine<float, float, kMul>,
      .div = combine<float, float, kDiv>,
      .pow = combine<float, float, kPow>,
      .minimum = combine<float, float, kMinimum>,
      .maximum = combine<float, float, kMaximum>,
      .equal = combine<float, int32_t, kEqual>,
      .not_equal = combine<float, int32_t, kNotEqual>,
      .less = combine<float, int32_t, kLess>,
      .less_equal = combine<float, int32_t, kLessEqual>,
      .equal_i32 = combine<int32_t, int32_t, kEqual>,
      .not_equal_i32 = combine<int32_t, int32_t, kNotEqual>,
      .less_i32 = combine<int32_t, int32_t, kLess>,
      .less_equal_i32 = combine<int32_t, int32_t, kLessEqual>,
      .logical_and = combine<int32_t, int32_t, kAnd>,
      .logical_or = combine<int32_t, int32_t, kOr>,
      .where = where<float>,
      .where_i32 = where<int32_t>,
  };
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
