#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tinyllm {

using Sha256 = std::array<uint8_t, 32>;

/// Source: NIST, FIPS 180-4, "Secure Hash Standard", 2015.
Sha256 sha256(std::string_view bytes);

}  // namespace tinyllm
