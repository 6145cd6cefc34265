#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/store.h>

#include <string>
#include <string_view>
#include <vector>

// The sizes of models that are measured with random weights.
namespace tinyllm::bench {

/// The default model, and shapes of models that others made, by the names of these.
std::vector<std::string> shape_names();
/// The types that weights may have.
std::vector<std::string> type_names();
/// With weights of this type. Throws Error on a name that is not among these.
ModelConfig shape(std::string_view name, std::string_view type);

/// Adds weights whose panels of rows are all the same random numbers: how fast a model is does not depend on them.
void fill_weights(const ModelConfig& config, Store& store, ThreadPool& pool);

}  // namespace tinyllm::bench
