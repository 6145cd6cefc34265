#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

// Norms that are made of rms_norm: of numbers whose mean is 0, the mean square is the variance.
namespace tinyllm {
namespace {

Tensor without_mean(Tensor x) { return x - unsqueeze(mean(x, -1), -1); }

}  // namespace

Tensor layer_norm(Tensor x, Tensor w, Tensor b, float eps) {
  check_f32("layer_norm", {x, w, b});
  if (x.shape().rank() < 1 || x.shape().row() < 1) throw Error("layer_norm: x {}: expected [..., C]", x.str());
  for (const Tensor& tensor : {w, b}) check_shape("layer_norm", tensor, {x.shape().row()});
  return rms_norm(without_mean(x), w, eps) + b;
}

Tensor group_norm(Tensor x, int64_t groups, Tensor w, Tensor b, float eps) {
  check_f32("group_norm", {x, w, b});
  const Shape& s = x.shape();
  if (s.rank() < 2 || s.size(1, s.rank()) < 1 || groups < 1 || s[1] % groups != 0) {
    throw Error("group_norm: x {} in {} groups: expected [B, C, ...] with C a multiple of the groups", x.str(), groups);
  }
  for (const Tensor& tensor : {w, b}) check_shape("group_norm", tensor, {s[1]});
  const int64_t size = s.size(1, s.rank()) / groups;
  const Tensor rows = reshape(x, {s[0] * groups, size});
  const Tensor normal = rms_norm(without_mean(rows), x.graph().constant(1, {size}), eps);
  const Tensor channels = reshape(normal, {s[0], s[1], s.size(2, s.rank())});
  return reshape(channels * unsqueeze(w, -1) + unsqueeze(b, -1), {s.begin(), s.end()});
}

Tensor l2_normalize(Tensor x, float eps) {
  check_f32("l2_normalize", {x});
  if (x.shape().rank() < 1 || x.shape().row() < 1) throw Error("l2_normalize: x {}: expected [..., C]", x.str());
  const auto c = static_cast<float>(x.shape().row());
  return rms_norm(x, x.graph().constant(1 / std::sqrt(c), {x.shape().row()}), eps / c);
}

}  // namespace tinyllm
