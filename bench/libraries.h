#pragma once

#include <tinyllm/ops/detail/gemm.h>

#include <functional>
#include <string>
#include <vector>

namespace tinyllm::bench {

/// Another library's matrix product.
struct Library {
  std::string key;          ///< In JSON: "openblas".
  std::string description;  ///< Its name, its version and the CPU type that it reports.
  std::function<void(int threads)> set_threads;
  /// C = op(A) op(B), laid out as for `gemm`.
  std::function<void(const GemmShape& shape, const float* a, const float* b, float* c)> product;
};

/// The libraries that this build found.
std::vector<Library> libraries();

}  // namespace tinyllm::bench
