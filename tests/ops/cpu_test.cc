#include <doctest/doctest.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/error.h>

#include <cstdlib>
#include <string>

namespace tinyllm::test {

TEST_CASE("the kernels that run are those of this CPU, or those that were asked for") {
  CHECK(is_supported(Isa::baseline));
  CHECK(is_supported(kernel_isa()));
  if (const char* wanted = std::getenv("TINYLLM_ISA")) {
    CHECK(std::string(name_of(kernel_isa())) == wanted);
  } else {
    for (const Isa better : {Isa::avx2, Isa::avx512, Isa::amx}) {
      if (better > kernel_isa()) CHECK_FALSE(is_supported(better));
    }
  }
  CHECK(cpu_features().starts_with(std::string(name_of(kernel_isa())) + " kernels"));
  CHECK(&kernels::kernels() == &kernels::kernels(kernel_isa()));
  CHECK(is_supported(fastest_precision()));
  if (kernel_isa() == Isa::amx) CHECK(fastest_precision() == Precision::bf16);
  if (kernel_isa() < Isa::avx512) CHECK(fastest_precision() == Precision::fp32);
}

TEST_CASE("every instruction set that is here has a whole table, and one that is not is refused") {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512, Isa::amx}) {
    if (!is_supported(isa)) {
      CHECK_THROWS_AS(kernels::kernels(isa), Error);
      continue;
    }
    const kernels::Kernels& k = kernels::kernels(isa);
    CHECK(k.fp32.nr > 0);
    CHECK((k.fp32.multiply != nullptr));
    CHECK((k.binary.add != nullptr));
    CHECK((k.unary.exp != nullptr));
    CHECK((k.rms_norm != nullptr));
    CHECK((k.attention != nullptr));
    CHECK((k.adamw != nullptr));
    // Rounds times chains times two operations on every element of a vector, of which a panel is two wide.
    CHECK(k.multiply_add(10) == 10.0 * 12 * static_cast<double>(k.fp32.nr));
    if (isa == Isa::amx) {
      CHECK(k.dot_bf16(32) == 2.0 * 4 * 16 * 16 * 32 * 2);  // Four squares of tiles for 16 rounds.
    } else if (k.dot_bf16 != nullptr) {
      CHECK(k.dot_bf16(10) == 2 * k.multiply_add(10));
    }
    if (k.dot_int8 != nullptr) CHECK(k.dot_int8(10) == 4 * k.multiply_add(10));
  }
}

}  // namespace tinyllm::test
