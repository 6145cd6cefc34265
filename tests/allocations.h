#pragma once

#include <cstdint>

namespace tinyllm::test {

/// How often this program has asked for memory by `new` so far, in all threads.
int64_t allocations();

}  // namespace tinyllm::test
