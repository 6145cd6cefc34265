#pragma once

#include <tinyllm/model/formats/gguf/tensor_type.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <span>
#include <vector>

namespace tinyllm::gguf {

/// Whether `encode` supports the type: F32, F16, BF16, Q8_0, Q4_0.
bool can_encode(GgufType type);

/// Encodes rows of `row` numbers each as bytes of the type. Throws Error on a number that is not finite or too large
/// for the type.
std::vector<std::byte> encode(GgufType type, int64_t row, std::span<const float> numbers, ThreadPool& pool);

}  // namespace tinyllm::gguf
