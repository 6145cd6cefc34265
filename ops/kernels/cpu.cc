#include <tinyllm/ops/kernels/kernels.h>

#include <tinyllm/tensor/base/error.h>

#include <cstdlib>
#include <string_view>

#if defined(TINYLLM_X86)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

// The only file of this folder that is compiled once. It chooses between the instruction sets.
namespace tinyllm {
namespace {

constexpr Isa kIsas[] = {Isa::amx, Isa::avx512, Isa::avx2, Isa::baseline};  // Best first.

Isa choose() {
  const char* wanted = std::getenv("TINYLLM_ISA");
  for (const Isa isa : kIsas) {
    if (wanted == nullptr ? is_supported(isa) : std::string_view(wanted) == name_of(isa)) {
      if (!is_supported(isa)) throw Error("TINYLLM_ISA={}: this CPU or this build has no {} kernels", wanted, wanted);
      return isa;
    }
  }
  throw Error("TINYLLM_ISA={}: expected baseline, avx2, avx512 or amx", wanted);
}

#ifdef TINYLLM_X86
// By CPUID, because not every compiler has names for these features.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 29) != 0;
}
bool has_amx_bf16() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & 1u << 22) != 0 && (edx & 1u << 24) != 0;
}
#endif

// Linux allows AMX tiles only after a process has requested them. Source: its
// Documentation/arch/x86/xstate.rst.
bool has_tiles() {
#if defined(TINYLLM_X86) && defined(__linux__)
  constexpr long kRequest = 0x1023, kTileData = 18;
  static const bool has =
      has_amx_bf16() && __builtin_cpu_supports("avx512bf16") != 0 && syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return has;
#else
  return false;
#endif
}

}  // namespace

bool is_supported([[maybe_unused]] Isa isa) {
#ifdef TINYLLM_X86
  if (isa == Isa::avx2) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 && has_f16c();
  }
  if (isa == Isa::amx && !has_tiles()) return false;
  if (isa >= Isa::avx512) {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  }
#endif
  return isa == Isa::baseline;
}

bool is_supported(Precision precision) {
  return precision == Precision::fp32 || kernels::kernels().bf16.multiply != nullptr;
}

Isa kernel_isa() {
  static const Isa isa = choose();
  return isa;
}

Precision fastest_precision() {
  if (!is_supported(Precision::bf16)) return Precision::fp32;
#ifdef TINYLLM_X86
  if (kernel_isa() == Isa::amx || __builtin_cpu_is("amd")) return Precision::bf16;
#endif
  return Precision::fp32;
}

std::string cpu_features() {
  std::string found;
#ifdef TINYLLM_X86
  if (__builtin_cpu_supports("avx2")) found += " avx2";
  if (__builtin_cpu_supports("fma")) found += " fma";
  if (__builtin_cpu_supports("avx512f")) found += " avx512f";
  if (__builtin_cpu_supports("avx512vnni")) found += " avx512vnni";
  if (__builtin_cpu_supports("avx512bf16")) found += " avx512bf16";
  if (has_tiles()) found += " amx";
#endif
  return fmt::format("{} kernels (cpu:{})", name_of(kernel_isa()), found.empty() ? " nothing special" : found);
}

namespace kernels {

// Each file of kernels, in each instruction set, fills its part of the table.
#define TINYLLM_DECLARE(isa)                 \
  namespace isa {                            \
  void fill_gemm(Kernels& table);            \
  void fill_few_rows(Kernels& table);        \
  void fill_quantized(Kernels& table);       \
  void fill_bf16_weights(Kernels& table);    \
  void fill_convert(Kernels& table);         \
  void fill_unary(Kernels& table);           \
  void fill_binary(Kernels& table);          \
  void fill_elementwise(Kernels& table);     \
  void fill_rows(Kernels& table);            \
  void fill_attention(Kernels& table);       \
  void fill_attention_token(Kernels& table); \
  void fill_attention_grad(Kernels& table);  \
  void fill_update(Kernels& table);          \
  void fill_peak(Kernels& table);            \
  static Kernels table() {                   \
    Kernels table{};                         \
    fill_gemm(table);                        \
    fill_few_rows(table);                    \
    fill_quantized(table);                   \
    fill_bf16_weights(table);                \
    fill_convert(table);                     \
    fill_unary(table);                       \
    fill_binary(table);                      \
    fill_elementwise(table);                 \
    fill_rows(table);                        \
    fill_attention(table);                   \
    fill_attention_token(table);             \
    fill_attention_grad(table);              \
    fill_update(table);                      \
    fill_peak(table);                        \
    return table;                            \
  }                                          \
  }
TINYLLM_DECLARE(baseline)
#ifdef TINYLLM_X86
TINYLLM_DECLARE(avx2)
TINYLLM_DECLARE(avx512)
#endif
#undef TINYLLM_DECLARE
#ifdef TINYLLM_X86
namespace avx512bf16 {
void fill_gemm(Kernels& table);
}
namespace amx {
void fill_gemm(Kernels& table);
void fill_peak(Kernels& table);
}  // namespace amx
namespace avx512vnni {
void fill_quantized(Kernels& table);
}
#endif

const Kernels& kernels(Isa isa) {
  if (!is_supported(isa)) throw Error("kernels: this CPU or this build has no {} kernels", name_of(isa));
#ifdef TINYLLM_X86
  if (isa == Isa::avx2) {
    static const Kernels table = avx2::table();
    return table;
  }
  if (isa == Isa::avx512) {
    static const Kernels table = [] {
      Kernels made = avx512::table();
      if (__builtin_cpu_supports("avx512bf16")) avx512bf16::fill_gemm(made);
      if (__builtin_cpu_supports("avx512vnni")) avx512vnni::fill_quantized(made);
      return made;
    }();
    return table;
  }
  if (isa == Isa::amx) {
    static const Kernels table = [] {
      Kernels made = kernels(Isa::avx512);
      amx::fill_gemm(made);
      amx::fill_peak(made);
      return made;
    }();
    return table;
  }
#endif
  static const Kernels table = baseline::table();
  return table;
}

const Kernels& kernels() {
  static const Kernels& table = kernels(kernel_isa());
  return table;
}

}  // namespace kernels
}  // namespace tinyllm
