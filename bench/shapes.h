#pragma once

#include <tinyllm/model/config.h>

#include <string>
#include <string_view>
#include <vector>

// The sizes of models that are measured with random weights.
namespace tinyllm::bench {

/// The default model, and shapes of models that others made, by the names of these.
std::vector<std::string> shape_names();
/// Throws Error on a name that is not among them.
ModelConfig shape(std::string_view name);

}  // namespace tinyllm::bench
