#pragma once

#include <cstdint>

#include <immintrin.h>

// The tiles of AMX: eight registers of 16 rows by 64 bytes. For files that are compiled with AMX.
namespace tinyllm::kernels::TINYLLM_ISA {

inline constexpr int64_t kTile = 16;  // Rows, and units of 4 bytes in each.

/// While one exists, this thread can use tiles. Afterwards the system no longer saves them when it switches threads.
class TilesInUse {
 public:
  TilesInUse() {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } tiles;
    for (int64_t i = 0; i < 8; ++i) {
      tiles.row_bytes[i] = kTile * sizeof(float);
      tiles.rows[i] = kTile;
    }
    written();
    _tile_loadconfig(&tiles);
  }
  ~TilesInUse() { _tile_release(); }
  TilesInUse(const TilesInUse&) = delete;
  TilesInUse& operator=(const TilesInUse&) = delete;

  /// Must be called before tiles are loaded: GCC does not know that the instruction reads memory.
  static void written() { asm volatile("" : : : "memory"); }
};

}  // namespace tinyllm::kernels::TINYLLM_ISA
