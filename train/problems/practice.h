#pragma once

#include <cstdint>
#include <string>

namespace tinyllm::problems {

/// A line of about ten true equations, as they stand in the reasoning of problems of a level: sums and differences of
/// numbers with up to three digits (level 1), five (2) or six (3), products and quotients of shorter ones. Numbers of
/// few digits are as frequent as those of many. A function of its arguments.
std::string practice(int level, uint64_t seed, uint64_t index);

}  // namespace tinyllm::problems
