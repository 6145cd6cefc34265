#include <tinyllm/ops/peak.h>

#include <tinyllm/ops/kernels/kernels.h>

namespace tinyllm {

double arithmetic_peak(ThreadPool& pool, double (*kernel)(int64_t rounds)) {
  constexpr int64_t kRounds = 2'000'000;  // Some milliseconds.
  return kernel == nullptr ? 0 : best_rate(pool, [&](int64_t) { return kernel(kRounds); });
}

double arithmetic_peak(ThreadPool& pool, Precision precision) {
  const kernels::Kernels& all = kernels::kernels();
  return arithmetic_peak(pool, precision == Precision::bf16 ? all.dot_bf16 : all.multiply_add);
}

}  // namespace tinyllm
