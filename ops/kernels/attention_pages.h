#pragma once

#include <tinyllm/ops/kernels/attention_product.h>

// A paged cache of keys and values, with numbers of type T. KeyPages in kernels.h describes its layout.
namespace tinyllm::kernels::TINYLLM_ISA {

template <class T>
struct Pages {
  const T *k, *v;
  const int32_t* pages;
  int64_t page_stride;

  explicit Pages(const KeyPages& cache)
      : k(static_cast<const T*>(cache.k)),
        v(static_cast<const T*>(cache.v)),
        pages(cache.pages),
        page_stride(cache.page_stride) {}

  /// The block that begins with key `key`: its keys [head_size, kKeyBlock] and its values [kKeyBlock, head_size].
  const T* keys(int64_t key) const { return k + pages[key / kKeyBlock] * page_stride; }
  const T* values(int64_t key) const { return v + pages[key / kKeyBlock] * page_stride; }
};

}  // namespace tinyllm::kernels::TINYLLM_ISA
