#pragma once

#include <optional>
#include <vector>

namespace tinyllm {

/// RoPE scaling of Llama 3. With f_i = base^(-2i/d) and the wavelength w = 2 pi / f_i, a frequency is divided by
/// 1 where w < original / high, by `factor` where w > original / low, and by 1 / ((1 - t) / factor + t) in between,
/// t = (original / w - low) / (high - low).
struct Llama3Rope {
  double factor = 8;
  double low = 1;          ///< low_freq_factor
  double high = 4;         ///< high_freq_factor
  double original = 8192;  ///< original_max_position_embeddings
};

/// The divisors of the `head_size` / 2 frequencies, which GGUF stores as `rope_freqs.weight`.
std::vector<float> rope_factors(const Llama3Rope& rope, double base, int head_size);

/// The scaling that gives these divisors to within rounding; nothing if there is none. They determine `low` /
/// `original` and `high` / `original` alone: `original` is the caller's, and where too few frequencies are in between,
/// `high` is 4 times `low`, as in all models of Meta.
std::optional<Llama3Rope> llama3_rope(const std::vector<float>& factors, double base, double original);

}  // namespace tinyllm
