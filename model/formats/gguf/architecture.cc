#include <tinyllm/model/formats/gguf/architecture.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

#include <iterator>
#include <string>

namespace tinyllm {
namespace {

constexpr GgufArchitecture kArchitectures[] = {
    {"llama", "llama", "LlamaForCausalLM", true},       {"llama", "mistral", "MistralForCausalLM", true},
    {"qwen2", "qwen2", "Qwen2ForCausalLM", false},      {"qwen3", "qwen3", "Qwen3ForCausalLM", false},
    {"minicpm", "minicpm", "MiniCPMForCausalLM", true},
};

const GgufArchitecture& find(const char* GgufArchitecture::*field, std::string_view name, std::string_view what) {
  std::string names;
  for (const GgufArchitecture& row : kArchitectures) {
    if (row.*field == name) return row;
    if (!names.ends_with(row.*field)) names += (names.empty() ? "" : ", ") + std::string(row.*field);
  }
  throw Error("{} {} is not supported, expected one of {}", what, short_name(name), names);
}

}  // namespace

const GgufArchitecture& gguf_architecture(std::string_view name) {
  return find(&GgufArchitecture::name, name, "architecture");
}

const GgufArchitecture& gguf_architecture_of_model_type(std::string_view model_type) {
  return find(&GgufArchitecture::model_type, model_type, "model_type");
}

}  // namespace tinyllm
