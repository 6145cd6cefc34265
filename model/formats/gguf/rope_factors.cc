#include <tinyllm/model/formats/gguf/rope_factors.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

// x = 1 / wavelength, in rotations per token. Between the two ends, 1 / divisor is linear in x.
double per_position(double base, size_t i, size_t count) {
  return std::pow(base, -static_cast<double>(i) / static_cast<double>(count)) / (2 * std::numbers::pi);
}

double divisor(const Llama3Rope& rope, double x) {
  const double t = (rope.original * x - rope.low) / (rope.high - rope.low);
  if (t >= 1) return 1;
  return t <= 0 ? rope.factor : 1 / ((1 - t) / rope.factor + t);
}

// Rounds to six digits if the result is as good, because files store floats.
double rounded(double x) {
  const double unit = std::pow(10, std::floor(std::log10(std::abs(x))) - 5);
  const double near = std::round(x / unit) * unit;
  return std::abs(near - x) < 2e-5 * std::abs(x) ? near : x;
}

bool gives(const Llama3Rope& rope, const std::vector<float>& factors, double base) {
  for (size_t i = 0; i < factors.size(); ++i) {
    const double expected = divisor(rope, per_position(base, i, factors.size()));
    if (!(std::abs(expected - static_cast<double>(factors[i])) <= 1e-5 * expected)) return false;
  }
  return true;
}

}  // namespace

std::vector<float> rope_factors(const Llama3Rope& rope, double base, int head_size) {
  std::vector<float> factors(static_cast<size_t>(head_size / 2));
  for (size_t i = 0; i < factors.size(); ++i) {
    factors[i] = static_cast<float>(divisor(rope, per_position(base, i, factors.size())));
  }
  return factors;
}

std::optional<Llama3Rope> llama3_rope(const std::vector<float>& factors, double base, double original) {
  if (factors.empty() || !(base > 1)) return {};
  const double factor = static_cast<double>(*std::max_element(factors.begin(), factors.end()));
  if (!std::isfinite(factor) || factor == 1 || !(*std::min_element(factors.begin(), factors.end()) >= 1)) return {};
  const Llama3Rope usual = {.factor = factor, .original = original};
  if (gives(usual, factors, base)) return usual;
  // The points (x, 1 / divisor) between the two ends, from the highest frequency to the lowest.
  struct Point {
    double x, y;
  };
  std::vector<Point> slope;
  double above = per_position(base, 0, factors.size()) * 2, below = 0;
  for (size_t i = 0; i < factors.size(); ++i) {
    const double x = per_position(base, i, factors.size()), d = static_cast<double>(factors[i]);
    if (d == 1) {
      above = x;
    } else if (d < factor) {
      slope.push_back({x, 1 / d});
    } else if (below == 0) {
      below = x;
    }
  }
  const auto between = [&](double low, double high) -> std::optional<Llama3Rope> {
    const Llama3Rope exact = {factor, original * low, original * high, original};
    const Llama3Rope round = {rounded(factor), rounded(exact.low), rounded(exact.high), original};
    for (const Llama3Rope& rope : {round, exact}) {
      if (rope.low > 0 && rope.high > rope.low && gives(rope, factors, base)) return rope;
    }
    return {};
  };
  // Extends the line through two points to its ends: y is 1 / factor at `low` and 1 at `high`.
  const auto line = [&](Point a, Point b) {
    const double gradient = (a.y - b.y) / (a.x - b.x);
    return between(a.x + (1 / factor - a.y) / gradient, a.x + (1 - a.y) / gradient);
  };
  if (slope.size() >= 2) {
    if (const auto rope = line(slope.front(), slope.back())) return rope;
  }
  if (slope.size() == 1) {
    const double t = (slope[0].y - 1 / factor) / (1 - 1 / factor);
    if (const auto rope = between(slope[0].x / (1 + 3 * t), 4 * slope[0].x / (1 + 3 * t))) return rope;
  }
  // The highest of the frequencies that are divided by `factor` may be the lower end of the line.
  if (!slope.empty() && below > 0) {
    if (const auto rope = line(slope.front(), {below, 1 / factor})) return rope;
  }
  if (!slope.empty()) return line(slope.front(), {above, 1});
  return between(below * 1.001, above * 0.999);
}

}  // namespace tinyllm
