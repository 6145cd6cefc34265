#include <tinyllm/model/formats/family.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

#include <string>

namespace tinyllm {
namespace {

// Sources: the configuration classes of huggingface/transformers 4; for MiniCPM, the code that comes with its weights.
constexpr Family kFamilies[] = {
    {.class_name = "LlamaForCausalLM", .model_type = "llama", .gguf = "llama", .gguf_permutes_rows = true},
    {.class_name = "MistralForCausalLM",
     .model_type = "mistral",
     .gguf = "llama",
     .gguf_permutes_rows = true,
     .kv_heads = 8,
     .window = 4096},
    {.class_name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .gguf = "qwen2",
     .gguf_permutes_rows = false,
     .has_qkv_bias = true,
     .has_window_by_layer = true},
    {.class_name = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .gguf = "qwen3",
     .gguf_permutes_rows = false,
     .has_qk_norm = true,
     .has_window_by_layer = true},
    {.class_name = "MiniCPMForCausalLM",
     .model_type = "minicpm",
     .gguf = "minicpm",
     .gguf_permutes_rows = true,
     .is_tied = true,
     .has_scales = true},
};

const Family& find(const char* Family::*field, std::string_view name, std::string_view what) {
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.*field == name) return family;
    if (!known.ends_with(family.*field)) known += (known.empty() ? "" : ", ") + std::string(family.*field);
  }
  throw Error("{} {} is not supported, expected one of {}", what, short_name(name), known);
}

}  // namespace

const Family& family_of(std::string_view model_type) { return find(&Family::model_type, model_type, "model_type"); }

const Family& family_of_gguf(std::string_view architecture) {
  return find(&Family::gguf, architecture, "architecture");
}

}  // namespace tinyllm
