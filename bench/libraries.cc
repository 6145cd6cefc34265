#include "libraries.h"

#include <tinyllm/tensor/base/error.h>

#ifdef TINYLLM_OPENBLAS
#include <cblas.h>
#endif
#ifdef TINYLLM_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#endif

namespace tinyllm::bench {
namespace {

// Elements between rows of the stored matrices.
struct Leading {
  int64_t a, b, c;
  explicit Leading(const GemmShape& s) : a(s.trans_a ? s.m : s.k), b(s.trans_b ? s.k : s.n), c(s.n) {}
};

#ifdef TINYLLM_OPENBLAS
Library openblas() {
  return {"openblas", fmt::format("{}, core {}", openblas_get_config(), openblas_get_corename()),
          openblas_set_num_threads, [](const GemmShape& s, const float* a, const float* b, float* c) {
            const Leading ld(s);
            const auto transposed = [](bool yes) { return yes ? CblasTrans : CblasNoTrans; };
            const auto size = [](int64_t n) { return static_cast<blasint>(n); };
            cblas_sgemm(CblasRowMajor, transposed(s.trans_a), transposed(s.trans_b), size(s.m), size(s.n), size(s.k),
                        1.0f, a, size(ld.a), b, size(ld.b), 0.0f, c, size(ld.c));
          }};
}
#endif

#ifdef TINYLLM_ONEDNN
Library onednn() {
  const dnnl_version_t* version = dnnl_version();
  return {"onednn", fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch), omp_set_num_threads,
          [](const GemmShape& s, const float* a, const float* b, float* c) {
            const Leading ld(s);
            const auto transposed = [](bool yes) { return yes ? 'T' : 'N'; };
            const dnnl_status_t status = dnnl_sgemm(transposed(s.trans_a), transposed(s.trans_b), s.m, s.n, s.k, 1.0f,
                                                    a, ld.a, b, ld.b, 0.0f, c, ld.c);
            if (status != dnnl_success) throw Error("oneDNN: sgemm returned {}", static_cast<int>(status));
          }};
}
#endif

}  // namespace

std::vector<Library> libraries() {
  std::vector<Library> all;
#ifdef TINYLLM_OPENBLAS
  all.push_back(openblas());
#endif
#ifdef TINYLLM_ONEDNN
  all.push_back(onednn());
#endif
  return all;
}

}  // namespace tinyllm::bench
