#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>

#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

enum class Distribution : uint8_t { uniform, normal };

struct Params {
  Distribution distribution;
  uint64_t seed;
  uint32_t op;          // The position of the node in its graph: every node has its own numbers.
  float start, spread;  // low and high - low, or mean and deviation.
};

constexpr int64_t kPerBlock = 4;  // Words that one call of the generator gives.

// Four numbers of [0, 1), multiples of 2^-24.
std::array<double, kPerBlock> uniform_block(const std::array<uint32_t, kPerBlock>& words) {
  std::array<double, kPerBlock> numbers{};
  for (size_t i = 0; i < kPerBlock; ++i) numbers[i] = (words[i] >> 8) * 0x1.0p-24;
  return numbers;
}

// Two pairs. Source: Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
std::array<double, kPerBlock> normal_block(const std::array<uint32_t, kPerBlock>& words) {
  std::array<double, kPerBlock> numbers{};
  for (size_t i = 0; i < kPerBlock; i += 2) {
    const double radius = std::sqrt(-2 * std::log((words[i] + 0.5) * 0x1.0p-32));
    const double angle = 2 * std::numbers::pi * 0x1.0p-32 * words[i + 1];
    numbers[i] = radius * std::cos(angle);
    numbers[i + 1] = radius * std::sin(angle);
  }
  return numbers;
}

void run(const Launch& launch) {
  const Params& params = launch.get<Params>();
  const auto step = static_cast<uint32_t>(launch.inputs[0].i32()[0]);
  const View& y = launch.outputs[0];
  const std::array key = {static_cast<uint32_t>(params.seed), static_cast<uint32_t>(params.seed >> 32)};
  parallel_ranges(*launch.pool, ceil_div(y.size(), kPerBlock), 512, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const auto counter = static_cast<uint64_t>(block);
      const auto words =
          philox({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), params.op, step}, key);
      const auto numbers = params.distribution == Distribution::uniform ? uniform_block(words) : normal_block(words);
      const int64_t first = block * kPerBlock;
      for (int64_t i = 0; i < std::min(kPerBlock, y.size() - first); ++i) {
        const double number = numbers[static_cast<size_t>(i)];
        y.f32()[first + i] =
            static_cast<float>(static_cast<double>(params.start) + number * static_cast<double>(params.spread));
      }
    }
  });
}

Tensor append(const char* op, const RandomSource& source, Shape shape, Params params) {
  check_i32(op, {source.step});
  check_shape(op, source.step, {1});
  if (!std::isfinite(params.start) || !std::isfinite(params.spread) || params.spread < 0) {
    throw Error("{}: start {} and width {}, expected finite numbers and a width of at least 0", op, params.start,
                params.spread);
  }
  Graph& graph = source.step.graph();
  params.seed = source.seed;
  params.op = static_cast<uint32_t>(graph.nodes().size());
  return graph.append(kRandom, {source.step}, {{f32, shape}}, params)[0];
}

}  // namespace

const Op kRandom{.name = "random", .run = run};

Tensor random_uniform(const RandomSource& source, Shape shape, float low, float high) {
  return append("random_uniform", source, shape, {Distribution::uniform, 0, 0, low, high - low});
}

Tensor random_normal(const RandomSource& source, Shape shape, float mean, float deviation) {
  return append("random_normal", source, shape, {Distribution::normal, 0, 0, mean, deviation});
}

}  // namespace tinyllm
