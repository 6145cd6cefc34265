#pragma once

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/store.h>

#include <vector>

namespace tinyllm {

/// Opens a folder from Hugging Face or ModelScope: a model of one of the families in formats/family.h, with its
/// tokenizer and its chat template. Matrices stay in bfloat16 if all of them are in the files and their rows are whole
/// blocks; such a model answers, but is not trained. All other weights become floats. Throws Error that names the file
/// and what is wrong or not supported.
Model load_hugging_face(const std::filesystem::path& folder);

/// Adds weights to a store from the tensors that `WeightSpec::parts` name: F32, F16 or BF16, converted to the types of
/// the specs. Matrices are packed a few rows at a time, BF16 ones straight from their elements, so no second copy of a
/// model is made. Tensors that no weight names are ignored. Throws Error, before memory is reserved, that names a
/// tensor which is missing or has another type or shape.
void load_hugging_face_weights(const WeightFiles& files, const std::vector<WeightSpec>& specs, ThreadPool& pool,
                               Store& store);

}  // namespace tinyllm
