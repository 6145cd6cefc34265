#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

struct AngleParams {
  std::vector<double> frequencies;
  double scale;
};

void run_angles(const Launch& launch) {
  const View& positions = launch.inputs[0];
  const View& angles = launch.outputs[0];
  const int64_t d = angles.shape.row();
  const AngleParams& params = launch.get<AngleParams>();
  parallel_ranges(*launch.pool, positions.size(), row_grain(d * 16), [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < d / 2; ++i) {
      const double frequency = params.frequencies[static_cast<size_t>(i)];
      for (int64_t row = begin; row < end; ++row) {
        const double angle = positions.i32()[row] * frequency;
        angles.f32()[row * d + i] = static_cast<float>(std::cos(angle) * params.scale);
        angles.f32()[row * d + d / 2 + i] = static_cast<float>(std::sin(angle) * params.scale);
      }
    }
  });
}

struct Params {
  bool inverse;
};

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t heads = x.shape[2];
  const int64_t d = x.shape[3];
  parallel_ranges(*launch.pool, x.shape.size(0, 2), row_grain(heads * d), [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      kernels::kernels().rope(heads, d, launch.inputs[1].f32() + token * d, launch.get<Params>().inverse,
                              x.f32() + token * heads * d, launch.outputs[0].f32() + token * heads * d);
    }
  });
}

// The gradient is the inverse rotation.
std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {x.graph().append(kRope, {node.output_grads[0], node.inputs[1]}, {{f32, x.shape()}},
                           Params{!node.get<Params>().inverse})[0],
          {}};
}

}  // namespace

const Op kRopeAngles{.name = "rope_angles", .run = run_angles};
const Op kRope{.name = "rope", .run = run, .gradient = gradient, .in_place = 1};

std::vector<double> rope_frequencies(int64_t head_size, double base) {
  if (head_size < 2 || head_size % 2 != 0) {
    throw Error("rope_frequencies: head size {}, expected an even one", head_size);
  }
  std::vector<double> frequencies(static_cast<size_t>(head_size / 2));
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_size));
  }
  return frequencies;
}

Tensor rope_angles(Tensor positions, std::vector<double> frequencies, double scale) {
  check_i32("rope_angles", {positions});
  if (positions.shape().rank() != 2) throw Error("rope_angles: positions {}: expected [B, T]", positions.str());
  if (frequencies.empty()) throw Error("rope_angles: no frequencies, expected one for each pair of elements of a head");
  const Shape shape = {positions.shape()[0], positions.shape()[1], 2 * std::ssize(frequencies)};
  return positions.graph().append(kRopeAngles, {positions}, {{f32, shape}},
                                  AngleParams{std::move(frequencies), scale})[0];
}

Tensor rope(Tensor x, Tensor angles) {
  check_f32("rope", {x, angles});
  const Shape& shape = x.shape();
  if (shape.rank() != 4 || angles.shape() != Shape{shape[0], shape[1], shape[3]} || shape[3] % 2 != 0) {
    throw Error("rope: x {} and angles {}: expected x [B, T, H, D] and angles [B, T, D], D even", x.str(),
                angles.str());
  }
  return x.graph().append(kRope, {x, angles}, {{f32, shape}}, Params{false})[0];
}

}  // namespace tinyllm
