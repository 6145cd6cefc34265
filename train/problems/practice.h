#pragma once

#include <cstdint>
#include <string>

namespace tinyllm::problems {

/// A line of about ten true equations, as they stand in the reasoning of problems of a level: sums and differences of
/// numbers with up to three digits (level 1), five (2) or six (3), products and quotients of shorter ones. Short
/// numbers are as frequent as long ones. A function of its arguments; levels are 1 to 3.
std::string practice(int level, uint64_t seed, uint64_t index);

}  // namespace tinyllm::problems
