#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace tinyllm {

/// Philox4x32 with 10 rounds by default: four random 32-bit words as a pure function of a 128-bit counter and a 64-bit
/// key. Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
template <int kRounds = 10>
constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// A stream of random numbers. Its whole state is (seed, stream, position): two streams of one seed are independent,
/// and `Random(seed, step)` gives the same draws whenever it is made — which is what exact resume needs.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}, stream_(stream) {}

  uint32_t next() {
    const uint32_t slot = static_cast<uint32_t>(position_ % 4);
    if (slot == 0) {
      const uint64_t block = position_ / 4;
      words_ = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(stream_),
                       static_cast<uint32_t>(stream_ >> 32)},
                      key_);
    }
    ++position_;
    return words_[slot];
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() {
    const uint64_t high = next();
    return static_cast<double>(((high << 32) | next()) >> 11) * 0x1.0p-53;
  }

  /// Uniform integer in [0, n), n >= 1, without modulo bias worth measuring (n below 2^32 in practice).
  int64_t below(int64_t n) { return static_cast<int64_t>(uniform() * static_cast<double>(n)); }

  /// Standard normal (Box-Muller).
  double normal() {
    const double u = 1.0 - uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::array<uint32_t, 2> key_;
  uint64_t stream_;
  uint64_t position_ = 0;
  std::array<uint32_t, 4> words_{};
};

}  // namespace tinyllm
