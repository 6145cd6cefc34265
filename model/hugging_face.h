#pragma once

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/store.h>

#include <vector>

namespace tinyllm {

/// Adds weights to a store from the tensors that `WeightSpec::parts` name: F32, F16 or BF16, converted to the types of
/// the specs. Matrices are packed a few rows at a time, BF16 ones straight from their elements, so no second copy of a
/// model is made. Tensors that no weight names are ignored. Throws Error, before memory is reserved, that names a
/// tensor which is missing or has another type or shape.
void load_hugging_face_weights(const WeightFiles& files, const std::vector<WeightSpec>& specs, ThreadPool& pool,
                               Store& store);

}  // namespace tinyllm
