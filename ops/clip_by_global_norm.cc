#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

struct Params {
  float max_norm;
};

// Each piece of kPiece elements has a partial sum in double. These are added up in order.
constexpr int64_t kPiece = 65536;

size_t workspace(const Node& node, const Graph& graph, int) {
  int64_t pieces = 0;
  for (const int id : node.inputs) pieces += ceil_div(graph.value(id).shape.size(), kPiece);
  return static_cast<size_t>(pieces) * sizeof(double);
}

void run(const Launch& launch) {
  auto* partial = static_cast<double*>(launch.workspace);
  int64_t pieces = 0;
  for (const View& grad : launch.inputs) {
    parallel_ranges(*launch.pool, grad.size(), kPiece, [&](int64_t begin, int64_t end) {
      partial[pieces + begin / kPiece] = kernels::kernels().sum_of_squares(end - begin, grad.f32() + begin);
    });
    pieces += ceil_div(grad.size(), kPiece);
  }
  double total = 0;
  for (int64_t i = 0; i < pieces; ++i) total += partial[i];
  const double norm = std::sqrt(total);
  const double limit = static_cast<double>(launch.get<Params>().max_norm);
  const bool is_finite = std::isfinite(static_cast<float>(norm));
  launch.outputs[0].f32()[0] = static_cast<float>(norm);
  launch.outputs[1].f32()[0] = is_finite ? static_cast<float>(std::min(1.0, limit / (norm + 1e-6))) : 0.0f;
}

}  // namespace

const Op kClip{.name = "clip_by_global_norm", .run = run, .workspace = workspace};

ClippedNorm clip_by_global_norm(const std::vector<Tensor>& grads, float max_norm) {
  if (grads.empty()) throw Error("clip_by_global_norm: no gradients");
  for (const Tensor& grad : grads) check_f32("clip_by_global_norm", {grad});
  if (!(max_norm > 0)) throw Error("clip_by_global_norm: max_norm {}, expected more than 0", max_norm);
  const std::vector<Tensor> results = grads[0].graph().append(kClip, grads, {{f32, {1}}, {f32, {1}}}, Params{max_norm});
  return {results[0], results[1]};
}

}  // namespace tinyllm
