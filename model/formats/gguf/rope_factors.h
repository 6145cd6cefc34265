#pragma once

#include <optional>
#include <vector>

namespace tinyllm {

/// Llama 3's RoPE scaling. With the frequency f_i = base^(-2i/d) and the wavelength w = 2 pi / f_i, the frequency is
/// divided by 1 if w < original / high, by `factor` if w > original / low, and otherwise by 1 / ((1 - t) / factor + t)
/// with t = (original / w - low) / (high - low).
struct Llama3Rope {
  double factor = 8;
  double low = 1;          ///< low_freq_factor
  double high = 4;         ///< high_freq_factor
  double original = 8192;  ///< original_max_position_embeddings
};

/// The divisors of the `head_size` / 2 frequencies, which GGUF stores as `rope_freqs.weight`.
std::vector<float> rope_factors(const Llama3Rope& rope, double base, int head_size);

/// The scaling that gives these divisors, up to rounding; nothing if there is none. The divisors determine only the
/// ratios `low` / `original` and `high` / `original`, so the caller passes `original`. With fewer than two frequencies
/// in between, `high` is assumed to be 4 times `low`, as in all models of Meta.
std::optional<Llama3Rope> llama3_rope(const std::vector<float>& factors, double base, double original);

}  // namespace tinyllm
