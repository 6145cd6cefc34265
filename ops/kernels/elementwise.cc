#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/map.h>
#include <tinyllm/ops/kernels/random.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

void scale(int64_t n, float factor, const float* x, float* out) {
  map(n, x, out, [=](Vf a) { return a * factor; });
}

// 1 / (1 + e^-x) for x >= -89. At -89 it is 0.
inline Vf sigmoid(Vf x) { return 1.0f / (1.0f + bounded_exp(-x)); }

// The sigmoid is exactly 0 below -kSiluEnd and 1 above kSiluEnd. x is clamped to this range, because infinity times 0
// would be NaN.
constexpr float kSiluEnd = 89;

void silu(int64_t n, const float* x, float* y) {
  map(n, x, y, [](Vf given) {
    const Vf a = greater(splat(-kSiluEnd), given);
    return a * sigmoid(a);
  });
}

// With s = sigmoid(x): d(x s)/dx = s + x s (1 - s).
void silu_grad(int64_t n, const float* x, const float* dy, float* dx) {
  map(n, x, dy, dx, [](Vf given, Vf d) {
    const Vf a = lesser(splat(kSiluEnd), greater(splat(-kSiluEnd), given));
    const Vf s = sigmoid(a);
    return d * (s + a * s * (1.0f - s));
  });
}

// The tanh form: gelu(x) = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3).
constexpr float kTwiceRoot = 1.5957691216f;
constexpr float kCubic = 0.044715f;
// Like kSiluEnd: 2u is 88.93 there.
constexpr float kGeluEnd = 10.07f;

void gelu(int64_t n, const float* x, float* y) {
  map(n, x, y, [](Vf given) {
    const Vf a = greater(splat(-kGeluEnd), given);
    return a * sigmoid(kTwiceRoot * (a + kCubic * a * a * a));
  });
}

void gelu_grad(int64_t n, const float* x, const float* dy, float* dx) {
  map(n, x, dy, dx, [](Vf given, Vf d) {
    const Vf a = lesser(splat(kGeluEnd), greater(splat(-kGeluEnd), given));
    const Vf s = sigmoid(kTwiceRoot * (a + kCubic * a * a * a));
    const Vf slope = kTwiceRoot * (1.0f + 3 * kCubic * a * a);
    return d * (s + a * s * (1.0f - s) * slope);
  });
}

void dropout(int64_t n, int64_t first, const DropoutMask& mask, const float* x, float* out) {
  for_each_kept(mask, first, n, [&](int64_t i, int64_t count, Vi keep) {
    store_any(out + i, select(keep, load_any(x + i, count) * mask.scale), count);
  });
}

}  // namespace

void fill_elementwise(Kernels& table) {
  table.scale = scale;
  table.silu = silu;
  table.silu_grad = silu_grad;
  table.gelu = gelu;
  table.gelu_grad = gelu_grad;
  table.dropout = dropout;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
